import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { addDays, formatDay, segmentOf, today } from '../format.js';
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

// As date in the address: trains of any day, also those that have no times.
const anyDay = 'any';

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
    const [train] = this.trains; // it has the names as the railway spells them
    const names = train ? segmentOf(train, this.query('from'), this.query('to')) : undefined;
    return texts.resultsTitle(names?.from.station ?? this.query('from'), names?.to.station ?? this.query('to'));
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
    const query = { from: this.query('from'), to: this.query('to'), date: this.date === anyDay ? '' : this.date, limit: pageSize, cursor: this.cursor };
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

  #days() {
    const { date } = this;
    if (date === anyDay) {
      return html`
        <nav class="days" aria-label=${texts.date}><strong>${texts.anyDay}</strong>
          <a class="button" href=${this.#on(today())}>${formatDay(today())}</a></nav>`;
    }
    return html`
      <nav class="days" aria-label=${texts.date}>
        <a class="step" href=${this.#on(addDays(date, -1))} aria-label=${texts.previousDay}><span aria-hidden="true">‹</span></a>
        <strong>${formatDay(date)}</strong>
        <a class="step" href=${this.#on(addDays(date, 1))} aria-label=${texts.nextDay}><span aria-hidden="true">›</span></a>
        <a class="button" href=${this.#on(anyDay)}>${texts.anyDay}</a>
      </nav>`;
  }

  body() {
    const search = { from: this.query('from'), to: this.query('to'), passengers: Number(this.query('passengers')) || 1 };
    const kept = { ...search, exchange: this.query('exchange') };
    return html`
      ${exchangeBanner(kept.exchange)}
      ${this.#days()}
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
        <search-form .search=${{ ...Object.fromEntries(this.route.query), date: this.date === anyDay ? '' : this.date }}></search-form>
      </details>`;
  }
}

customElements.define('results-view', ResultsView);
