import { html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { exchangeBanner } from '../parts/exchange-banner.js';
import '../parts/hold-card.js';
import { navigate } from '../router.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** @import { Done } from '../parts/hold-card.js' */
/** @import { Hold, Page } from '../types.js' */

/** What the passenger holds. A hold that ends stays on the screen until the view is left. */
class HoldsView extends View {
  static properties = { holds: { state: true }, incomplete: { state: true }, done: { state: true } };

  constructor() {
    super();
    /** @type {Hold[]} */
    this.holds = [];
    this.incomplete = false;
    /** The last seats that left a hold. @type {Done | undefined} */
    this.done = undefined;
  }

  get heading() {
    return texts.holds;
  }

  get source() {
    return 'holds';
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    /** @type {Page<Hold>} */
    const page = await call('GET', '/v1/holds', { signal });
    this.holds = page.items;
    this.incomplete = page.incomplete === true;
  }

  /** @param {Hold} hold @param {Done} done */
  async #done(hold, done) {
    const { kind, seats, whole, booking } = done;
    const notice = kind === 'exchanged' ? texts.exchanged : kind === 'booked' ? texts.bookedSeats(seats) : texts.releasedSeats(seats);
    if (booking && whole) {
      navigate(`/bookings/${booking.booking_id}`, { notice });
      return;
    }
    this.done = done;
    announce(notice);
    const rest = hold.seats.filter(seat => !seats.includes(seat.seat_number));
    this.holds = this.holds.flatMap(other => other !== hold ? [other] : rest.length > 0 ? [{ ...hold, seats: rest }] : []);
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector('.done'))?.focus();
  }

  /** @param {Hold} hold */
  #changed(hold) {
    this.holds = this.holds.map(other => other.hold_id === hold.hold_id ? hold : other);
  }

  #notice() {
    if (!this.done) return nothing;
    const { kind, seats, booking } = this.done;
    return html`
      <p class="notice good done" tabindex="-1">${kind === 'booked' ? texts.bookedSeats(seats) : texts.releasedSeats(seats)}
        ${booking ? html`<a href=${`/bookings/${booking.booking_id}`}>${texts.showBooking}</a>` : nothing}</p>`;
  }

  body() {
    const exchange = this.query('exchange');
    return html`
      ${exchangeBanner(exchange)}
      ${this.#notice()}
      ${this.incomplete ? html`<p class="notice">${texts.incompleteHolds}</p>` : nothing}
      ${this.holds.length === 0 ? html`<p class="empty">${texts.noHolds} <a href="/">${texts.search}</a></p>` : nothing}
      <div class="cards">
        ${repeat(this.holds, hold => hold.hold_id, hold => html`
          <hold-card .hold=${hold} .exchange=${exchange}
            @done=${(/** @type {CustomEvent<Done>} */ event) => this.#done(hold, event.detail)}
            @changed=${(/** @type {CustomEvent<Hold>} */ event) => this.#changed(event.detail)}></hold-card>`)}
      </div>`;
  }
}

customElements.define('holds-view', HoldsView);
