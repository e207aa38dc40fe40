import { html, nothing } from 'lit';
import { call } from '../api.js';
import { problemNotice } from '../parts/notice.js';
import { journey } from '../parts/train-card.js';
import { url } from '../router.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** @import { Booking, Page } from '../types.js' */

const pageSize = 20;

/** The passenger's bookings, the newest first. */
class BookingsView extends View {
  static properties = { bookings: { state: true }, cursor: { state: true } };

  constructor() {
    super();
    /** @type {Booking[]} */
    this.bookings = [];
    this.cursor = '';
  }

  get heading() {
    return texts.bookings;
  }

  get state() {
    return this.query('state') === 'cancelled' ? 'cancelled' : 'confirmed';
  }

  get source() {
    return this.state;
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    this.bookings = [];
    this.cursor = '';
    await this.#page(signal);
  }

  /** @param {AbortSignal} signal */
  async #page(signal) {
    /** @type {Page<Booking>} */
    const page = await call('GET', '/v1/bookings', { query: { state: this.state, limit: pageSize, cursor: this.cursor }, signal });
    this.bookings = [...this.bookings, ...page.items];
    this.cursor = page.next_cursor;
  }

  #more() {
    const shown = this.bookings.length;
    void this.act(async () => {
      await this.#page(this.left.signal);
      await this.updateComplete;
      /** @type {HTMLElement | undefined} */ (this.querySelectorAll('.train h2 a')[shown])?.focus();
    });
  }

  /** @param {Booking} booking */
  #card({ booking_id, train, from, to, seats }) {
    return html`
      <li class="card train">
        <h2><a href=${`/bookings/${booking_id}`}>${train?.name ?? texts.deletedTrain}</a></h2>
        ${train ? journey(train, from, to) : html`<div></div>`}
        <p class="free">${texts.capital(texts.seatList(seats.map(seat => seat.seat_number)))}</p>
      </li>`;
  }

  /** @param {'confirmed' | 'cancelled'} state */
  #tab(state) {
    const href = url('/bookings', { state: state === 'confirmed' ? '' : state });
    return html`<li><a href=${href} aria-current=${state === this.state ? 'page' : nothing}>${texts[state]}</a></li>`;
  }

  body() {
    return html`
      <nav class="tabs" aria-label=${texts.bookingStates}><ul>${this.#tab('confirmed')}${this.#tab('cancelled')}</ul></nav>
      ${this.bookings.length === 0 ? html`<p class="empty">${texts.noBookings[this.state]}</p>` : nothing}
      <ul class="cards">${this.bookings.map(booking => this.#card(booking))}</ul>
      ${this.failure ? problemNotice(this.failure) : nothing}
      ${this.cursor ? html`<button type="button" @click=${this.#more}>${texts.more}</button>` : nothing}`;
  }
}

customElements.define('bookings-view', BookingsView);
