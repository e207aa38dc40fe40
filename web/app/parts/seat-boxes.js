import { html } from 'lit';
import { texts } from '../texts.js';
import { placeOf } from './seat.js';

/**
 * Check boxes for the seats of a hold or booking, so that something can be done with some of them.
 * @param {string} id of the hold or booking
 * @param {number[]} seats
 * @param {Set<number>} marked
 * @param {(marked: Set<number>) => void} change
 */
export function seatBoxes(id, seats, marked, change) {
  /** @param {number} n */
  const toggle = n => {
    const changed = new Set(marked);
    if (!changed.delete(n)) changed.add(n);
    change(changed);
  };
  return html`
    <fieldset class="seat-boxes">
      <legend>${texts.seats}</legend>
      ${seats.length === 1 ? html`<p>${texts.seatPlace(seats[0] ?? 0, placeOf(seats[0] ?? 0))}</p>` : seats.map(n => html`
        <label><input type="checkbox" id=${`${id}-${n}`} .checked=${marked.has(n)} @change=${() => toggle(n)}>
          ${texts.seatPlace(n, placeOf(n))}</label>`)}
    </fieldset>`;
}
