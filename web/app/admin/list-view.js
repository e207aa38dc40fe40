import { html, nothing } from 'lit';
import { call } from '../api.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** @import { PropertyDeclarations } from 'lit' */
/** @import { Page } from '../types.js' */

const pageSize = 50;

/**
 * A view with a list of the API, page by page. Subclasses define `path`, `filter`, `rows` and `empty`.
 * @template T
 */
export class ListView extends View {
  /** @type {PropertyDeclarations} */
  static properties = { items: { state: true }, cursor: { state: true } };

  constructor() {
    super();
    /** @type {T[]} */
    this.items = [];
    this.cursor = '';
    this.incomplete = false;
  }

  /** The path of the list in the API. */
  get path() {
    return '';
  }

  /** The query that selects what is in the list. @returns {Record<string, string | undefined>} */
  get filter() {
    return {};
  }

  get empty() {
    return '';
  }

  get source() {
    return JSON.stringify([this.path, this.filter]);
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    this.items = [];
    this.cursor = '';
    this.incomplete = false;
    await this.#page(signal);
  }

  /** @param {AbortSignal} signal */
  async #page(signal) {
    /** @type {Page<T>} */
    const page = await call('GET', this.path, { query: { ...this.filter, limit: pageSize, cursor: this.cursor }, signal });
    this.items = [...this.items, ...page.items];
    this.cursor = page.next_cursor;
    this.incomplete ||= page.incomplete === true;
  }

  #more() {
    const shown = this.items.length;
    void this.act(async () => {
      await this.#page(this.left.signal);
      await this.updateComplete;
      /** @type {HTMLElement | undefined} */ (this.querySelectorAll('tbody th a')[shown])?.focus();
    });
  }

  /** The table of the items. */
  table() {
    return /** @type {unknown} */ (nothing);
  }

  list() {
    return html`
      ${this.incomplete ? html`<p class="notice">${texts.incomplete}</p>` : nothing}
      ${this.items.length === 0 ? html`<p class="empty">${this.empty}</p>` : this.table()}
      ${this.cursor ? html`
        <button type="button" aria-busy=${this.busy ? 'true' : nothing} @click=${this.#more}>${texts.more}</button>` : nothing}`;
  }
}
