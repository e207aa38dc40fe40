import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { formatMoment, formatNumber } from '../format.js';
import { field, valuesOf } from '../parts/field.js';
import { Problem } from '../problem.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { refusal, table } from './parts.js';
import { loadPeople, personOf } from './people.js';
import { words } from './texts.js';

/** @import { Booking, Page } from '../types.js' */
/** @typedef {{ seat: number, booking: Booking }} Row */

const rowsAtOnce = 50;
const bookingsAtOnce = 1000;

/** Who sits where on a train: a row for each seat of each booking, in the order of the seats. */
class SeatTable extends Component {
  static properties = {
    train: {}, state: {}, rows: { state: true }, first: { state: true }, loading: { state: true }, failure: { state: true },
    missed: { state: true },
  };

  constructor() {
    super();
    this.train = '';
    /** @type {'confirmed' | 'cancelled'} */
    this.state = 'confirmed';
    /** @type {Row[]} */
    this.rows = [];
    /** The place of the first row that is shown. */
    this.first = 0;
    this.loading = false;
    /** @type {Problem | undefined} */
    this.failure = undefined;
    /** A seat that was looked for and is free. */
    this.missed = 0;
    this.left = new AbortController();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.left.abort();
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('train') || changed.has('state')) void this.load();
  }

  async load() {
    this.left.abort();
    this.left = new AbortController();
    const { signal } = this.left;
    this.loading = true;
    this.failure = undefined;
    try {
      const rows = await this.#all(signal);
      this.rows = rows;
      await this.#show(Math.min(this.first, this.#lastPage));
    } catch (error) {
      if (signal.aborted) return;
      this.failure = Problem.from(error);
    }
    this.loading = false;
  }

  /** @param {AbortSignal} signal @returns {Promise<Row[]>} */
  async #all(signal) {
    /** @type {Row[]} */
    const rows = [];
    let cursor = '';
    do {
      const query = { state: this.state, limit: bookingsAtOnce, cursor };
      /** @type {Page<Booking>} */
      const page = await call('GET', `/v1/trains/${this.train}/bookings`, { query, signal });
      for (const booking of page.items) rows.push(...booking.seats.map(({ seat_number: seat }) => ({ seat, booking })));
      cursor = page.next_cursor;
    } while (cursor);
    return rows.sort((a, b) => a.seat - b.seat || a.booking.from_stop - b.booking.from_stop);
  }

  get #lastPage() {
    return Math.max(0, Math.floor((this.rows.length - 1) / rowsAtOnce) * rowsAtOnce);
  }

  get #shown() {
    return this.rows.slice(this.first, this.first + rowsAtOnce);
  }

  /** Shows the rows from one on, with the names of the passengers. @param {number} first */
  async #show(first) {
    this.first = first;
    await loadPeople(this.#shown.map(row => row.booking.user_id), this.left.signal);
    this.requestUpdate();
  }

  /** @param {number} step */
  async #turn(step) {
    await this.#attempt(() => this.#show(this.first + step * rowsAtOnce));
    announce(this.#range());
  }

  /** @param {() => Promise<void>} action */
  async #attempt(action) {
    this.failure = undefined;
    try {
      await action();
    } catch (error) {
      if (!this.left.signal.aborted) this.failure = Problem.from(error);
    }
  }

  /** @param {SubmitEvent} event */
  #find(event) {
    const seat = Number(valuesOf(event).seat);
    if (!seat) return;
    const place = this.rows.findIndex(row => row.seat === seat);
    this.missed = place < 0 ? seat : 0;
    if (place < 0) return;
    void this.#attempt(async () => {
      await this.#show(Math.floor(place / rowsAtOnce) * rowsAtOnce);
      await this.updateComplete;
      /** @type {HTMLElement | null} */ (this.querySelector(`[data-seat="${seat}"] a`))?.focus();
    });
  }

  #range() {
    const last = Math.min(this.rows.length, this.first + rowsAtOnce);
    return words.rows(formatNumber(this.first + 1), formatNumber(last), formatNumber(this.rows.length));
  }

  /** @param {string} id */
  #passenger(id) {
    const person = personOf(id);
    return html`<a href=${`/admin/users/${id}`}>${person ? person.username || words.deletedUser : '…'}</a>`;
  }

  #table() {
    const heads = [words.seat, words.passenger, words.segment, words.bookedAt, words.booking];
    return table(words.whoSits, heads, this.#shown.map(({ seat, booking }) => html`
      <tr data-seat=${seat}>
        <th scope="row">${formatNumber(seat)}</th>
        <td class="wide">${this.#passenger(booking.user_id)}</td>
        <td class="wide">${booking.from && booking.to ? words.route(booking.from, booking.to) : nothing}</td>
        <td>${formatMoment(booking.booked_at)}</td>
        <td><a class="id" href=${`/bookings/${booking.booking_id}`} aria-label=${words.bookingNumber(booking.booking_id)}>
          ${booking.booking_id.slice(0, 8)}…</a></td>
      </tr>`));
  }

  #pager() {
    if (this.rows.length <= rowsAtOnce) return nothing;
    return html`
      <p class="pager">
        <button type="button" aria-disabled=${this.first === 0 ? 'true' : nothing}
          @click=${() => this.first > 0 && this.#turn(-1)}>${words.previousRows}</button>
        <span>${this.#range()}</span>
        <button type="button" aria-disabled=${this.first >= this.#lastPage ? 'true' : nothing}
          @click=${() => this.first < this.#lastPage && this.#turn(1)}>${words.nextRows}</button>
      </p>`;
  }

  render() {
    if (this.loading && this.rows.length === 0) return html`<p class="loading">${texts.loading}</p>`;
    if (this.rows.length === 0 && !this.failure) {
      return html`<p class="empty">${this.state === 'cancelled' ? words.noSeatsCancelled : words.noSeatsBooked}</p>`;
    }
    return html`
      ${refusal(this.failure)}
      <form class="find" role="search" novalidate @submit=${this.#find}>
        ${field({
          name: 'seat', label: words.findSeat, inputmode: 'numeric',
          error: this.missed ? words.seatIsFree(this.missed) : '',
        })}
        <button>${words.find}</button>
      </form>
      ${this.#table()} ${this.#pager()}`;
  }
}

customElements.define('seat-table', SeatTable);
