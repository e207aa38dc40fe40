import { html } from 'lit';
import { texts } from '../texts.js';
import { glyphs } from './seat.js';

/** What the colours, patterns and signs of seats mean. */
export function seatLegend() {
  const looks = { free: texts.free, chosen: texts.chosen, held: texts.held, booked: texts.booked, yours: texts.yours };
  return html`
    <ul class="legend" aria-label=${texts.legend}>
      ${Object.entries(looks).map(([look, name]) => html`
        <li><span class=${`seat sample ${look}`} aria-hidden="true">${glyphs[look]}</span> ${name}</li>`)}
    </ul>`;
}
