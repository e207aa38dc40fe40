import { html, nothing } from 'lit';
import { texts } from '../texts.js';

/**
 * Reminds the passenger that the new seats are for the exchange of a booking.
 * @param {string} booking the id of the booking; empty: none is exchanged
 */
export function exchangeBanner(booking) {
  if (!booking) return nothing;
  return html`
    <p class="notice">${texts.exchanging} <a href=${`/bookings/${encodeURIComponent(booking)}`}>${texts.stopExchange}</a></p>`;
}
