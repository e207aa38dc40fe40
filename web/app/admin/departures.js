import { html, nothing } from 'lit';
import { call } from '../api.js';
import { formatShortDay } from '../format.js';
import { field, valuesOf } from '../parts/field.js';
import { Problem } from '../problem.js';
import { setQuery } from '../router.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { figureHeads, figures, refusal, saleState, table } from './parts.js';
import { words } from './texts.js';

/** @import { Departure, Page } from '../types.js' */

const pageSize = 50;

/** The departures of a schedule from a day on, today if none is given. */
class DepartureTable extends Component {
  static properties = { schedule: {}, from: {}, items: { state: true }, cursor: { state: true }, failure: { state: true }, loading: { state: true } };

  constructor() {
    super();
    this.schedule = '';
    /** YYYY-MM-DD */
    this.from = '';
    /** @type {Departure[]} */
    this.items = [];
    this.cursor = '';
    /** @type {Problem | undefined} */
    this.failure = undefined;
    this.loading = false;
    this.left = new AbortController();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.left.abort();
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('schedule') && !changed.has('from')) return;
    this.left.abort();
    this.left = new AbortController();
    this.items = [];
    this.cursor = '';
    void this.#load();
  }

  async #load() {
    const { signal } = this.left;
    this.failure = undefined;
    this.loading = true;
    try {
      const query = { from: this.from, limit: pageSize, cursor: this.cursor };
      /** @type {Page<Departure>} */
      const page = await call('GET', `/v1/schedules/${this.schedule}/departures`, { query, signal });
      this.items = [...this.items, ...page.items];
      this.cursor = page.next_cursor;
    } catch (error) {
      if (signal.aborted) return;
      this.failure = Problem.from(error);
    }
    this.loading = false;
  }

  async #more() {
    const shown = this.items.length;
    await this.#load();
    await this.updateComplete;
    /** @type {HTMLElement | undefined} */ (this.querySelectorAll('tbody th a')[shown])?.focus();
  }

  /** @param {Departure} departure */
  #row({ date, diverged, cancelled, train }) {
    return html`
      <tr>
        <th scope="row"><a href=${`/admin/trains/${train.id}`}>${formatShortDay(date)} ${date.slice(0, 4)}</a></th>
        ${figures(train)}
        <td>${cancelled ? words.cancelled : saleState(train)}</td>
        <td>${diverged ? html`<span class="badge">${words.differs}</span>` : words.asScheduled}</td>
      </tr>`;
  }

  render() {
    const heads = [words.date, ...figureHeads, words.state, words.departures];
    return html`
      <form class="find" novalidate @submit=${(/** @type {SubmitEvent} */ event) => setQuery({ day: valuesOf(event).day ?? '' })}>
        ${field({ name: 'day', label: words.fromDay, type: 'date', value: this.from })}
        <button>${words.showFrom}</button>
      </form>
      ${refusal(this.failure)}
      ${this.items.length > 0 ? table(words.departures, heads, this.items.map(item => this.#row(item)))
        : this.loading ? html`<p class="loading">${texts.loading}</p>` : html`<p class="empty">${words.noDepartures}</p>`}
      ${this.cursor ? html`<button type="button" @click=${this.#more}>${texts.more}</button>` : nothing}`;
  }
}

customElements.define('departure-table', DepartureTable);
