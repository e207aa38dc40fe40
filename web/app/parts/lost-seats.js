import { html } from 'lit';
import { texts } from '../texts.js';
import { placeOf } from './seat.js';

/**
 * Seats that someone else took first, and free seats to take instead. `late` means that the passenger had
 * asked to hold them, so that taking another one holds it at once.
 * @typedef {{ seats: number[], alternatives: number[], late: boolean }} Lost
 */

/**
 * @param {Lost} lost
 * @param {(alternative: number) => void} take
 * @param {() => void} dismiss
 */
export function lostSeats(lost, take, dismiss) {
  const { seats, alternatives, late } = lost;
  return html`
    <section class="notice bad lost" aria-labelledby="lost">
      <h2 id="lost">${texts.lost(seats)}</h2>
      <p>${alternatives.length === 0 ? texts.noAlternatives : late ? texts.lostLate : texts.lostHint}</p>
      <ul class="alternatives">
        ${alternatives.map(n => html`<li>
          <button type="button" class="primary" data-alternative=${n} aria-label=${texts.takeName(n, placeOf(n), seats[0])}
            @click=${() => take(n)}>${texts.take(n, placeOf(n))}</button></li>`)}
        <li><button type="button" @click=${dismiss}>${texts.dismiss}</button></li>
      </ul>
    </section>`;
}
