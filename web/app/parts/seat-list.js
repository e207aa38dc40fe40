import { html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { live } from 'lit/directives/live.js';
import { announce } from '../announce.js';
import { formatNumber } from '../format.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { field, focusInvalid, valuesOf } from './field.js';
import { lookOf, placeOf, stateName } from './seat.js';

/** @import { Seats } from './seat.js' */

const pageSize = 20;

/**
 * What the seat map shows, as a list: a page of check boxes, and a field for the number of a seat. A seat stays
 * in the list when it is taken, so that the focus does not move. Fires `seat` as the map does.
 */
class SeatList extends Component {
  static properties = { seats: { attribute: false }, page: { state: true }, error: { state: true } };

  constructor() {
    super();
    /** @type {Seats} */
    this.seats = { states: [], chosen: new Set(), mine: new Set() };
    this.page = 0;
    this.error = '';
  }

  get capacity() {
    return Math.max(0, this.seats.states.length - 1);
  }

  /** @param {number} n @returns {boolean} whether that was possible */
  #toggle(n) {
    const look = lookOf(this.seats, n);
    const possible = look === 'free' || look === 'chosen';
    if (possible) this.dispatchEvent(new CustomEvent('seat', { detail: n }));
    else announce(texts.seatNotFree(n, stateName(this.seats, n)));
    return possible;
  }

  /** @param {SubmitEvent} event */
  #add(event) {
    const n = Number(valuesOf(event)['seat-number']);
    this.error = '';
    if (!Number.isInteger(n) || n < 1 || n > this.capacity) this.error = texts.noSuchSeat(formatNumber(this.capacity));
    else if (lookOf(this.seats, n) !== 'free') this.error = texts.seatNotFree(n, stateName(this.seats, n));
    if (this.error) {
      void focusInvalid(this);
      return;
    }
    this.page = Math.floor((n - 1) / pageSize);
    this.#toggle(n);
    announce(`${texts.seatPlace(n, placeOf(n))}, ${texts.chosen}`);
    /** @type {HTMLFormElement} */ (event.currentTarget).reset();
  }

  /** Turns to the next page that has a free seat, or else to the next one. @param {number} step */
  #turn(step) {
    const pages = Math.ceil(this.capacity / pageSize);
    let page = this.page + step;
    const hasFree = () => this.seats.states.slice(page * pageSize + 1, (page + 1) * pageSize + 1).includes('available');
    while (page > 0 && page < pages - 1 && !hasFree()) page += step;
    this.page = Math.min(pages - 1, Math.max(0, page));
    const { first, last } = this.#range();
    announce(texts.seatsFromTo(formatNumber(first), formatNumber(last), formatNumber(this.capacity)));
  }

  #range() {
    const first = this.page * pageSize + 1;
    return { first, last: Math.min(this.capacity, first + pageSize - 1) };
  }

  /** @param {number} n */
  #item(n) {
    const look = lookOf(this.seats, n);
    const taken = look !== 'free' && look !== 'chosen';
    /** @param {Event} event */
    const change = event => {
      if (!this.#toggle(n)) /** @type {HTMLInputElement} */ (event.target).checked = false;
    };
    return html`
      <li class=${look}><label>
        <input type="checkbox" .checked=${live(look === 'chosen')} aria-disabled=${taken ? 'true' : nothing} @change=${change}>
        <span>${texts.seatPlace(n, placeOf(n))}${taken ? `, ${stateName(this.seats, n)}` : ''}</span></label></li>`;
  }

  render() {
    const { first, last } = this.#range();
    const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    return html`
      <form class="add-seat" novalidate @submit=${this.#add}>
        ${field({ name: 'seat-number', label: texts.seatNumber, inputmode: 'numeric', error: this.error })}
        <button>${texts.addSeat}</button>
      </form>
      <fieldset>
        <legend>${texts.seatsFromTo(formatNumber(first), formatNumber(last), formatNumber(this.capacity))}</legend>
        <ul class="seat-list">${repeat(numbers, n => n, n => this.#item(n))}</ul>
      </fieldset>
      ${this.capacity <= pageSize ? nothing : html`
        <div class="actions">
          <button type="button" @click=${() => this.#turn(-1)}>${texts.previousSeats}</button>
          <button type="button" @click=${() => this.#turn(1)}>${texts.nextSeats}</button>
        </div>`}`;
  }
}

customElements.define('seat-list', SeatList);
