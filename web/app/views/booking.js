import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { formatMoment } from '../format.js';
import { problemNotice } from '../parts/notice.js';
import { ask } from '../parts/question.js';
import { seatBoxes } from '../parts/seat-boxes.js';
import { journey } from '../parts/train-card.js';
import { url } from '../router.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** @import { Booking } from '../types.js' */

/** A booking: cancel it, or a part, or exchange it. */
class BookingView extends View {
  static properties = { booking: { state: true }, marked: { state: true }, cancelled: { state: true } };

  constructor() {
    super();
    /** @type {Booking | undefined} */
    this.booking = undefined;
    /** @type {Set<number>} */
    this.marked = new Set();
    /** The seats that were cancelled here. @type {number[]} */
    this.cancelled = [];
  }

  get heading() {
    const { booking } = this;
    return booking ? texts.bookingTitle(booking.train?.name ?? texts.deletedTrain) : texts.bookings;
  }

  get source() {
    return this.route.params.id ?? '';
  }

  get seats() {
    return this.booking?.seats.map(seat => seat.seat_number) ?? [];
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    this.booking = await call('GET', `/v1/bookings/${this.route.params.id}`, { signal });
    this.marked = new Set(this.seats);
  }

  /** @param {number[]} seats */
  async #cancel(seats) {
    if (!await ask(texts.cancelQuestion(seats), texts.cancel(seats), texts.keep)) return;
    await this.act(async () => {
      const body = seats.length === this.seats.length ? undefined : { seats };
      await call('DELETE', `/v1/bookings/${this.booking?.booking_id}`, { body });
      this.cancelled = seats;
      announce(texts.cancelledSeats(seats));
      await this.reload({ quiet: true });
      await this.updateComplete;
      /** @type {HTMLElement | null} */ (this.querySelector('.done'))?.focus();
    });
  }

  /** @param {Booking} booking */
  #exchange({ booking_id: exchange, train_id, from, to, train }) {
    const passengers = this.seats.length;
    return html`
      <section class="card" aria-labelledby="exchange">
        <h2 id="exchange">${texts.exchange}</h2>
        <p>${texts.exchangeHint}</p>
        <div class="actions">
          <a class="button" href=${url(`/trains/${train_id}`, { from, to, passengers, exchange })}>${texts.sameTrain}</a>
          <a class="button" href=${url('/', { from, to, passengers, exchange, date: train?.service_date })}>${texts.otherTrain}</a>
        </div>
      </section>`;
  }

  /** @param {Booking} booking */
  #facts({ booking_id, booked_at, cancelled_at, cancelled_by }) {
    const by = cancelled_by ? texts.cancelledBy[cancelled_by] : '';
    return html`
      <dl class="facts">
        <div><dt>${texts.bookedAt}</dt><dd>${formatMoment(booked_at)}</dd></div>
        ${cancelled_at ? html`<div><dt>${texts.cancelledAt}</dt><dd>${formatMoment(cancelled_at)} ${by}</dd></div>` : nothing}
        <div><dt>${texts.number}</dt><dd class="id">${booking_id}</dd></div>
      </dl>`;
  }

  body() {
    const { booking, seats } = this;
    if (!booking) return nothing;
    const confirmed = booking.state === 'confirmed';
    const marked = seats.filter(n => this.marked.has(n));
    return html`
      ${this.cancelled.length > 0 ? html`<p class="notice good done" tabindex="-1">${texts.cancelledSeats(this.cancelled)}</p>` : nothing}
      <section class="card">
        ${confirmed ? nothing : html`<p><span class="badge">${texts.cancelled}</span></p>`}
        ${booking.train ? journey(booking.train, booking.from, booking.to) : nothing}
        ${confirmed ? seatBoxes(booking.booking_id, seats, this.marked, to => { this.marked = to; })
          : html`<p>${texts.capital(texts.seatList(seats))}</p>`}
        ${this.#facts(booking)}
        ${this.failure ? problemNotice(this.failure) : nothing}
        ${!confirmed ? nothing : html`<div class="actions">${marked.length === 0 ? html`<p>${texts.noSeatMarked}</p>` : html`
          <button type="button" class="danger" aria-busy=${this.busy ? 'true' : nothing} @click=${() => this.#cancel(marked)}>
            ${texts.cancel(marked)}</button>`}</div>`}
      </section>
      ${confirmed ? this.#exchange(booking) : nothing}`;
  }
}

customElements.define('booking-view', BookingView);
