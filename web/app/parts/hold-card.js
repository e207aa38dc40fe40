import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { Problem } from '../problem.js';
import { url } from '../router.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import './count-down.js';
import { problemNotice } from './notice.js';
import { seatBoxes } from './seat-boxes.js';
import { journey } from './train-card.js';

/** @import { Booking, Hold } from '../types.js' */
/** @typedef {{ kind: 'booked' | 'exchanged' | 'released', seats: number[], whole: boolean, booking?: Booking }} Done */

/**
 * A hold of the passenger, with what can be done with it. Fires `done` when seats have left it, and `changed`
 * when its deadline has changed.
 */
class HoldCard extends Component {
  static properties = {
    hold: { attribute: false }, exchange: {}, marked: { state: true }, failure: { state: true }, busy: { state: true },
    ended: { state: true },
  };

  constructor() {
    super();
    this.hold = /** @type {Hold} */ ({});
    /** The booking that is exchanged; empty: none. */
    this.exchange = '';
    /** @type {Set<number>} */
    this.marked = new Set();
    /** @type {Problem | undefined} */
    this.failure = undefined;
    this.busy = false;
    this.ended = false;
  }

  get seats() {
    return this.hold.seats.map(seat => seat.seat_number);
  }

  get path() {
    return `/v1/holds/${this.hold.hold_id}`;
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('hold')) this.marked = new Set(this.seats);
  }

  /** @param {() => Promise<void>} action */
  async #act(action) {
    if (this.busy) return;
    this.busy = true;
    this.failure = undefined;
    try {
      await action();
    } catch (error) {
      this.failure = Problem.from(error);
      this.ended ||= ['hold_expired', 'seat_not_locked', 'not_found', 'hold_confirmed'].includes(this.failure.code);
    } finally {
      this.busy = false;
    }
  }

  /** The marked seats, and the body that names them, which is not needed for all. */
  #part() {
    const seats = this.seats.filter(n => this.marked.has(n));
    const whole = seats.length === this.seats.length;
    return { seats, whole, body: whole ? undefined : { seats } };
  }

  /** @param {Done} done */
  #done(done) {
    this.dispatchEvent(new CustomEvent('done', { detail: done }));
  }

  #confirm() {
    const { seats, whole, body } = this.#part();
    void this.#act(async () => {
      const booking = await call('POST', `${this.path}/confirm`, { body });
      this.#done({ kind: 'booked', seats, whole, booking });
    });
  }

  #release() {
    const { seats, whole, body } = this.#part();
    void this.#act(async () => {
      await call('DELETE', this.path, { body }).catch(error => {
        // The first of two requests did it, or the hold has ended: the seats are released.
        if (!(error instanceof Problem) || ![404, 409].includes(error.status)) throw error;
      });
      this.#done({ kind: 'released', seats, whole });
    });
  }

  #exchange() {
    void this.#act(async () => {
      const path = `/v1/bookings/${encodeURIComponent(this.exchange)}/exchange`;
      const booking = await call('POST', path, { body: { hold_id: this.hold.hold_id } });
      this.#done({ kind: 'exchanged', seats: this.seats, whole: true, booking });
    });
  }

  #extend() {
    void this.#act(async () => {
      const { expires_at, extended } = await call('POST', `${this.path}/extend`);
      this.hold = { ...this.hold, expires_at, extended };
      announce(texts.extendedOnce);
      this.dispatchEvent(new CustomEvent('changed', { detail: this.hold }));
    });
  }

  #buttons() {
    const { seats } = this.#part();
    const busy = this.busy ? 'true' : nothing;
    if (seats.length === 0) return html`<p>${texts.noSeatMarked}</p>`;
    return html`
      <div class="actions">
        ${this.exchange ? html`
          <button type="button" class="primary" aria-busy=${busy} @click=${this.#exchange}>${texts.exchangeFor(this.seats)}</button>`
          : html`
          <button type="button" class="primary" aria-busy=${busy} @click=${this.#confirm}>${texts.confirm(seats)}</button>`}
        ${this.hold.extended ? nothing : html`<button type="button" @click=${this.#extend}>${texts.extend}</button>`}
        <button type="button" class="danger" @click=${this.#release}>${texts.release(seats)}</button>
      </div>
      ${this.hold.extended ? html`<p class="small">${texts.extendedOnce}</p>` : nothing}`;
  }

  render() {
    const { hold, seats } = this;
    const again = url(`/trains/${hold.train_id}`, { from: hold.from, to: hold.to, passengers: seats.length, exchange: this.exchange });
    const title = `hold-${hold.hold_id}`;
    return html`
      <article class="card hold" aria-labelledby=${title}>
        <h2 id=${title} tabindex="-1">${hold.train.name}, ${texts.seatList(seats)}</h2>
        ${journey(hold.train, hold.from, hold.to)}
        ${this.failure ? problemNotice(this.failure) : nothing}
        ${this.ended ? html`
          <p class="notice bad">${texts.holdEnded(seats)} <a href=${again}>${texts.chooseAgain}</a></p>` : html`
          <count-down .until=${hold.expires_at} .seats=${seats} @ended=${() => { this.ended = true; }}></count-down>
          ${seatBoxes(hold.hold_id, seats, this.marked, marked => { this.marked = marked; })}
          ${this.#buttons()}`}
      </article>`;
  }
}

customElements.define('hold-card', HoldCard);
