import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { addDays, formatDay, today } from '../format.js';
import { exchangeBanner } from '../parts/exchange-banner.js';
import '../parts/search-form.js';
import { trainCard } from '../parts/train-card.js';
import { problemNotice } from '../parts/notice.js';
import { Problem } from '../problem.js';
import { url } from '../router.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** @import { Page, Train } from '../types.js' */

const pageSize = 20;

/** The trains of a day from one station to another. */
class ResultsView extends View {
  static properties = { trains: { state: true }, cursor: { state: true }, moreProblem: { state: true } };

  constructor() {
    super();
    /** @type {Train[]} */
    this.trains = [];
    this.cursor = '';
    this.incomplete = false;
    /** @type {Problem | undefined} */
    this.moreProblem = undefined;
  }

  get heading() {
    return texts.resultsTitle(this.query('from'), this.query('to'));
  }

  get date() {
    return this.query('date') || today();
  }

  get source() {
    return [this.query('from'), this.query('to'), this.date].join('\n');
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    this.trains = [];
    this.cursor = '';
    this.incomplete = false;
    await this.#page(signal);
    announce(texts.trainsFound(this.trains.length, this.cursor !== ''));
  }

  /** @param {AbortSignal} signal */
  async #page(signal) {
    const query = { from: this.query('from'), to: this.query('to'), date: this.date, limit: pageSize, cursor: this.cursor };
    /** @type {Page<Train>} */
    const page = await call('GET', '/v1/trains', { query, signal, anonymous: true });
    this.trains = [...this.trains, ...page.items];
    this.cursor = page.next_cursor;
    this.incomplete ||= page.incomplete === true;
  }

  async #more() {
    const shown = this.trains.length;
    this.moreProblem = undefined;
    try {
      await this.#page(this.left.signal);
    } catch (error) {
      if (!this.left.signal.aborted) this.moreProblem = Problem.from(error);
      return;
    }
    await this.updateComplete;
    /** @type {HTMLElement | undefined} */ (this.querySelectorAll('.train h2 a')[shown])?.focus();
  }

  /** @param {string} date */
  #on(date) {
    return url('/search', { ...Object.fromEntries(this.route.query), date });
  }

  body() {
    const search = { from: this.query('from'), to: this.query('to'), passengers: Number(this.query('passengers')) || 1 };
    const kept = { ...search, exchange: this.query('exchange') };
    return html`
      ${exchangeBanner(kept.exchange)}
      <nav class="days" aria-label=${texts.date}>
        <a href=${this.#on(addDays(this.date, -1))} aria-label=${texts.previousDay}><span aria-hidden="true">‹</span></a>
        <strong>${formatDay(this.date)}</strong>
        <a href=${this.#on(addDays(this.date, 1))} aria-label=${texts.nextDay}><span aria-hidden="true">›</span></a>
      </nav>
      ${this.incomplete ? html`<p class="notice">${texts.incomplete}</p>` : nothing}
      ${this.trains.length === 0 ? html`<p class="empty">${texts.noTrains}</p>` : nothing}
      <ul class="cards">
        ${this.trains.map(train => trainCard(train, url(`/trains/${train.id}`, kept), search))}
      </ul>
      ${this.moreProblem ? problemNotice(this.moreProblem) : nothing}
      ${this.cursor ? html`<button type="button" @click=${this.#more}>${texts.more}</button>` : nothing}`;
  }

  foot() {
    return html`
      <details class="again">
        <summary>${texts.changeSearch}</summary>
        <search-form .search=${Object.fromEntries(this.route.query)}></search-form>
      </details>`;
  }
}

customElements.define('results-view', ResultsView);
