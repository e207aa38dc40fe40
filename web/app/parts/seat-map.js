import { html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../announce.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { glyphs, lookOf, nameOf, perRow, placeOf } from './seat.js';

/** @import { Seats } from './seat.js' */

// Rows that are rendered above and below the visible ones.
const margin = 6;
const columns = Array.from({ length: perRow }, (_, i) => i + 1);

/**
 * The seats as a grid of buttons, one of which is in the tab order. Only the visible rows are in the document,
 * and the row with that button. Fires `seat` with the number of the seat that was chosen or no longer is.
 */
class SeatMap extends Component {
  static properties = {
    seats: { attribute: false }, first: { state: true }, last: { state: true }, active: { state: true },
  };

  constructor() {
    super();
    /** @type {Seats} */
    this.seats = { states: [], chosen: new Set(), mine: new Set() };
    /** The rendered rows, from 0, without last. */
    this.first = 0;
    this.last = 2 * margin;
    /** The seat that is in the tab order. */
    this.active = 1;
    this.rowHeight = 0;
  }

  get capacity() {
    return Math.max(0, this.seats.states.length - 1);
  }

  get scroller() {
    return /** @type {HTMLElement} */ (this.querySelector('.seat-scroll'));
  }

  /** Moves the focus to a seat. @param {number} n */
  async focusSeat(n) {
    this.active = Math.min(this.capacity, Math.max(1, n));
    this.#reveal(Math.floor((this.active - 1) / perRow));
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector('button[tabindex="0"]'))?.focus({ preventScroll: true });
    document.activeElement?.scrollIntoView({ block: 'nearest' });
  }

  /** Scrolls until a row is visible. @param {number} row */
  #reveal(row) {
    const { scroller } = this;
    const head = this.querySelector('thead')?.offsetHeight ?? 0;
    const top = row * this.rowHeight;
    const height = scroller.clientHeight - head;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    if (top + this.rowHeight > scroller.scrollTop + height) scroller.scrollTop = top + this.rowHeight - height;
    this.#look();
  }

  /** Finds which rows are visible. */
  #look() {
    const { scrollTop, clientHeight } = this.scroller;
    this.first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - margin);
    this.last = Math.ceil((scrollTop + clientHeight) / this.rowHeight) + margin;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const row = Math.floor((this.active - 1) / perRow) * perRow;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight) - 1) * perRow;
    const { active, capacity } = this;
    /** @type {Record<string, number>} */
    const targets = {
      ArrowLeft: Math.max(active - 1, row + 1),
      ArrowRight: Math.min(active + 1, row + perRow),
      ArrowUp: active - perRow < 1 ? active : active - perRow,
      ArrowDown: active + perRow > capacity ? active : active + perRow,
      Home: event.ctrlKey ? 1 : row + 1,
      End: event.ctrlKey ? capacity : row + perRow,
      PageUp: active - page < 1 ? (active - 1) % perRow + 1 : active - page,
      PageDown: active + page > capacity ? capacity : active + page,
    };
    const target = targets[event.key];
    if (target === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    void this.focusSeat(target);
  }

  /** @param {Event} event */
  #click(event) {
    const n = seatOf(event);
    if (n === 0) return;
    this.active = n;
    const look = lookOf(this.seats, n);
    if (look === 'free' || look === 'chosen') this.dispatchEvent(new CustomEvent('seat', { detail: n }));
    else announce(nameOf(this.seats, n));
  }

  /** @param {Event} event */
  #focus(event) {
    this.active = seatOf(event) || this.active;
  }

  firstUpdated() {
    this.sizes = new ResizeObserver(() => this.#measure());
    this.sizes.observe(this.scroller);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.sizes?.disconnect();
  }

  #measure() {
    this.rowHeight = /** @type {HTMLElement | null} */ (this.querySelector('tbody tr:not(.gap)'))?.offsetHeight ?? 0;
    if (this.rowHeight > 0) this.#look();
    this.requestUpdate();
  }

  willUpdate() {
    this.active = Math.min(Math.max(1, this.capacity), this.active);
  }

  // The policy forbids style attributes, but not the CSSOM.
  updated() {
    for (const gap of this.querySelectorAll('tr.gap')) {
      const row = /** @type {HTMLElement} */ (gap);
      row.style.height = `${Number(row.dataset.rows) * this.rowHeight}px`;
    }
  }

  /** The rows to render, from 0, and as negative numbers how many rows are left out between them. */
  #rows() {
    const count = Math.ceil(this.capacity / perRow);
    const activeRow = Math.floor((this.active - 1) / perRow);
    const shown = [];
    for (let row = this.first; row < Math.min(this.last, count); row++) shown.push(row);
    if (activeRow < this.first) shown.unshift(activeRow);
    if (activeRow >= this.last) shown.push(activeRow);
    const rows = [];
    let next = 0;
    for (const row of [...shown, count]) {
      if (row > next) rows.push(next - row);
      if (row < count) rows.push(row);
      next = row + 1;
    }
    return rows;
  }

  /** @param {number} n */
  #seat(n) {
    if (n > this.capacity) return nothing;
    const look = lookOf(this.seats, n);
    return html`
      <button type="button" class=${`seat ${look}`} data-seat=${n} tabindex=${n === this.active ? 0 : -1}
        aria-label=${nameOf(this.seats, n)} aria-pressed=${look === 'chosen' ? 'true' : 'false'}
        aria-disabled=${look === 'free' || look === 'chosen' ? nothing : 'true'}>
        <span class="glyph" aria-hidden="true">${glyphs[look]}</span>${n}</button>`;
  }

  render() {
    const rows = Math.ceil(this.capacity / perRow);
    let gaps = 0;
    return html`
      <div class="seat-scroll" @scroll=${this.#look} @keydown=${this.#key} @click=${this.#click} @focusin=${this.#focus}>
        <table role="grid" aria-label=${texts.seatMap} aria-rowcount=${rows + 1} aria-describedby="seat-map-hint">
          <thead>
            <tr aria-rowindex="1"><th scope="col">${texts.row}</th>
              ${columns.map(column => html`<th scope="col">${texts.capital(placeOf(column))}</th>`)}</tr>
          </thead>
          <tbody>
            ${repeat(this.#rows(), row => row < 0 ? `gap ${gaps++}` : row, row => row < 0
              ? html`<tr class="gap" aria-hidden="true" data-rows=${-row}><td></td></tr>`
              : html`
                <tr aria-rowindex=${row + 2}>
                  <th scope="row" aria-label=${texts.rowNumber(row + 1)}>${row + 1}</th>
                  ${columns.map(column => html`<td>${this.#seat(row * perRow + column)}</td>`)}
                </tr>`)}
          </tbody>
        </table>
      </div>
      <p class="small" id="seat-map-hint">${texts.seatMapHint}</p>`;
  }
}

/** The number of the seat of an event, 0 if it is about none. @param {Event} event */
function seatOf(event) {
  const button = event.target instanceof Element ? event.target.closest('button') : null;
  return Number(button?.dataset.seat ?? 0);
}

customElements.define('seat-map', SeatMap);
