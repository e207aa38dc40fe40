import { html, nothing } from 'lit';
import { formatMoment, formatNumber } from '../format.js';
import { texts } from '../texts.js';
import { problemNotice } from './notice.js';
import { placeOf } from './seat.js';

/** @import { Problem } from '../problem.js' */

/**
 * @typedef {object} Choice
 * @property {number[]} chosen
 * @property {number} passengers
 * @property {boolean} signedIn
 * @property {boolean} busy
 * @property {Problem | undefined} failure why they could not be held
 * @property {(n: number) => void} remove
 * @property {() => void} hold
 * @property {() => void} holdAny
 */

/** The chosen seats, and the buttons that hold them. @param {Choice} choice */
export function seatChoice({ chosen, passengers, signedIn, busy, failure, remove, hold, holdAny }) {
  return html`
    <section class="card choice" aria-labelledby="your-seats">
      <h2 id="your-seats" tabindex="-1">${texts.yourSeats}</h2>
      ${chosen.length === 0 ? html`<p>${texts.noneChosen(passengers)}</p>` : html`
        <ul class="chips">${chosen.map(n => html`
          <li>${texts.seatPlace(n, placeOf(n))}
            <button type="button" class="remove" aria-label=${texts.removeSeat(n)} @click=${() => remove(n)}>
              <span aria-hidden="true">✕</span></button></li>`)}
        </ul>`}
      ${failure ? html`${problemNotice(failure)}${figures(failure)}` : nothing}
      <div class="actions">
        ${chosen.length > 0 ? html`
          <button type="button" class="primary" aria-busy=${busy ? 'true' : nothing} @click=${hold}>${texts.hold(chosen)}</button>`
          : html`
          <button type="button" class="primary" aria-busy=${busy ? 'true' : nothing} @click=${holdAny}>
            ${texts.holdAny(passengers)}</button>`}
      </div>
      <p class="small">${signedIn ? texts.holdHint : texts.logInToHold}</p>
    </section>`;
}

/** What an error says about other seats. @param {Problem} problem */
function figures({ available, becomesFreeAt, salesOpenAt }) {
  return html`
    ${available === undefined ? nothing : html`<p>${texts.onlyFree(formatNumber(available))}</p>`}
    ${becomesFreeAt ? html`<p>${texts.freeAt(formatMoment(becomesFreeAt))}</p>` : nothing}
    ${salesOpenAt ? html`<p>${texts.salesOpen(formatMoment(salesOpenAt))}</p>` : nothing}`;
}
