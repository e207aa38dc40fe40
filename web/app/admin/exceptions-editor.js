import { html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { words } from './texts.js';

/** @typedef {{ date: string, runs: boolean }} Exception */

/** Edits the exceptions of a schedule. Fires `exceptions` with all of them as detail. */
class ExceptionsEditor extends Component {
  static properties = { exceptions: { attribute: false }, errors: { attribute: false } };

  constructor() {
    super();
    /** @type {Exception[]} */
    this.exceptions = [];
    /** @type {Record<string, string>} */
    this.errors = {};
  }

  /** @param {Exception[]} exceptions */
  #change(exceptions) {
    this.exceptions = exceptions;
    this.dispatchEvent(new CustomEvent('exceptions', { detail: exceptions }));
  }

  /** @param {number} i @param {Partial<Exception>} changes */
  #set(i, changes) {
    this.#change(this.exceptions.map((exception, at) => at === i ? { ...exception, ...changes } : exception));
  }

  async #add() {
    this.#change([...this.exceptions, { date: '', runs: false }]);
    await this.#focus(`exceptions[${this.exceptions.length - 1}].date`);
  }

  /** @param {number} i */
  async #remove(i) {
    this.#change(this.exceptions.filter((_, at) => at !== i));
    await this.#focus(this.exceptions.length > 0 ? `exceptions[${Math.min(i, this.exceptions.length - 1)}].date` : 'add-exception');
  }

  /** @param {string} id */
  async #focus(id) {
    await this.updateComplete;
    document.getElementById(id)?.focus();
  }

  /** @param {Exception} exception @param {number} i */
  #row({ date, runs }, i) {
    const id = `exceptions[${i}].date`;
    const error = this.errors[id];
    return html`
      <li>
        <div class="field">
          <input id=${id} type="date" aria-label=${words.exceptionDate(i + 1)} .value=${live(date)}
            aria-invalid=${error ? 'true' : nothing} aria-describedby=${error ? `${id}-error` : nothing}
            @change=${(/** @type {Event} */ event) => this.#set(i, { date: /** @type {HTMLInputElement} */ (event.target).value })}>
          ${error ? html`<p class="error" id=${`${id}-error`}>${texts.capital(error)}</p>` : nothing}
        </div>
        <select aria-label=${words.exceptionRuns(i + 1)} .value=${live(String(runs))}
          @change=${(/** @type {Event} */ event) => this.#set(i, { runs: /** @type {HTMLSelectElement} */ (event.target).value === 'true' })}>
          <option value="false">${words.runsNot}</option>
          <option value="true">${words.runs}</option>
        </select>
        <button type="button" aria-label=${words.removeException(i + 1)} title=${words.removeException(i + 1)}
          @click=${() => this.#remove(i)}><span aria-hidden="true">✕</span></button>
      </li>`;
  }

  render() {
    const error = this.errors.exceptions;
    return html`
      <fieldset id="exceptions" aria-describedby="exceptions-hint">
        <legend>${words.exceptions}</legend>
        <p class="hint" id="exceptions-hint">${words.exceptionsHint}</p>
        ${error ? html`<p class="error">${texts.capital(error)}</p>` : nothing}
        <ul class="exceptions">${this.exceptions.map((exception, i) => this.#row(exception, i))}</ul>
        <button type="button" id="add-exception" @click=${this.#add}>${words.addException}</button>
      </fieldset>`;
  }
}

customElements.define('exceptions-editor', ExceptionsEditor);
