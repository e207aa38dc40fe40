// What the pages for admins share.
import { html, nothing } from 'lit';
import { formatMoment } from '../format.js';
import { loadStyles } from '../styles.js';
import { texts } from '../texts.js';
import { words } from './texts.js';

/** @import { Problem } from '../problem.js' */
/** @import { Train } from '../types.js' */

await loadStyles(import.meta.resolve('../css/admin.css'));

/** The links between the lists. @param {string} current the path of the list that is shown, or that contains what is shown */
export function adminNav(current) {
  const link = (/** @type {string} */ href, /** @type {string} */ text) =>
    html`<li><a href=${href} aria-current=${href === current ? 'true' : nothing}>${text}</a></li>`;
  return html`
    <nav class="tabs" aria-label=${words.pages}><ul>
      ${link('/admin/trains', words.trains)}${link('/admin/schedules', words.schedules)}${link('/admin/users', words.users)}
    </ul></nav>`;
}

/**
 * Links that choose what a view shows.
 * @param {string} name
 * @param {[href: string, text: string, current: boolean][]} links
 */
export function tabs(name, links) {
  return html`
    <nav class="tabs" aria-label=${name}><ul>
      ${links.map(([href, text, current]) => html`<li><a href=${href} aria-current=${current ? 'page' : nothing}>${text}</a></li>`)}
    </ul></nav>`;
}

/**
 * A table that scrolls sideways where it is too wide.
 * @param {string} name
 * @param {(string | { figure: string })[]} heads figures are at the right
 * @param {unknown} rows
 */
export function table(name, heads, rows) {
  return html`
    <div class="table" role="region" tabindex="0" aria-label=${words.table(name)}>
      <table>
        <thead><tr>${heads.map(head => typeof head === 'string' ? html`<th scope="col">${head}</th>`
          : html`<th scope="col" class="figure">${head.figure}</th>`)}</tr></thead>
        <tbody>${rows}</tbody>
      </table>
    </div>`;
}

/** The figures of a train, in a row of a table. @param {Train} train */
export function figures(train) {
  return [train.booked, train.held, train.available, train.capacity]
    .map(n => html`<td class="figure">${(n ?? 0).toLocaleString(document.documentElement.lang)}</td>`);
}

export const figureHeads = [words.booked, words.held, words.free, words.capacity].map(figure => ({ figure }));

/** Whether a train is sold. @param {Train} train */
export function saleState({ on_sale, sales_open_at }) {
  if (!on_sale) return words.notOnSale;
  return sales_open_at && Date.parse(sales_open_at) > Date.now() ? words.salesOpen(formatMoment(sales_open_at)) : words.onSale;
}

/**
 * Why something was refused: a 409 is explained, and fields that are wrong but not shown are named.
 * @param {Problem | undefined} failure
 * @param {string} [prefix] of the words for a code
 */
export function refusal(failure, prefix = '') {
  if (!failure) return nothing;
  const { code, fields, seats, detail } = failure;
  const message = code === 'capacity_in_use' ? words.capacityInUse(seats)
    : words.problems[prefix + code] ?? words.problems[code] ?? failure.message;
  const unseen = Object.keys(fields).some(name => !document.getElementById(name));
  return html`
    <div class="notice bad" role="alert">
      <p>${message}</p>
      ${unseen ? html`<p>${texts.capital(detail)}</p>` : nothing}
      ${failure.status >= 500 ? html`<p class="small">${texts.requestID} ${failure.requestID}</p>` : nothing}
    </div>`;
}

/**
 * A check box with its label.
 * @param {string} name
 * @param {string} label
 * @param {boolean} checked
 */
export const checkbox = (name, label, checked) => html`
  <label class="check"><input type="checkbox" id=${name} name=${name} .checked=${checked}> ${label}</label>`;

/** A number from a field. Any other text is sent as it is, and the API reports what is wrong. @param {string | undefined} text */
export const numberOf = text => /^\d+$/.test(text ?? '') ? Number(text) : text || undefined;

/** The errors of a form without errors. @type {Record<string, string>} */
export const noErrors = {};

/** Moves the focus to the first field with an error, once the components in the form show it. @param {HTMLElement} form */
export function focusFirstError(form) {
  requestAnimationFrame(() => /** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid=true]'))?.focus());
}
