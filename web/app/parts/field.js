import { html, noChange, nothing } from 'lit';
import { live } from 'lit/directives/live.js';

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [type]
 * @property {string} [value] none: what was entered stays
 * @property {string} [error] what is wrong with it
 * @property {string} [hint]
 * @property {string} [autocomplete]
 * @property {string | number} [min]
 * @property {string | number} [max]
 * @property {string} [inputmode]
 * @property {string} [list] the id of a datalist
 */

/**
 * A field of a form with its label, hint and error. An id must be unique in the document, so a view has each
 * name once.
 * @param {Field} field
 */
export function field({ name, label, type = 'text', value, error, hint, autocomplete, min, max, inputmode, list }) {
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ');
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      <input id=${name} name=${name} type=${type} .value=${value === undefined ? noChange : live(value)} min=${min ?? nothing} max=${max ?? nothing}
        autocomplete=${autocomplete ?? 'off'} inputmode=${inputmode ?? nothing} list=${list ?? nothing}
        aria-invalid=${error ? 'true' : nothing} aria-describedby=${described || nothing}>
      ${hint ? html`<p class="hint" id=${`${name}-hint`}>${hint}</p>` : nothing}
      ${error ? html`<p class="error" id=${`${name}-error`}>${error}</p>` : nothing}
    </div>`;
}

/**
 * The values of a form, by name.
 * @param {SubmitEvent} event
 * @returns {Record<string, string>}
 */
export function valuesOf(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}

/**
 * Moves the focus to the first field with an error, once it is shown.
 * @param {import('lit').LitElement} component
 */
export async function focusInvalid(component) {
  await component.updateComplete;
  /** @type {HTMLElement | null} */ (component.querySelector('[aria-invalid=true]'))?.focus();
}
