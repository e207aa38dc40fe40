import { texts } from '../texts.js';

/** @import { SeatState } from '../types.js' */

// Trains have no coaches yet, so every train has rows of four with an aisle in the middle.
export const perRow = 4;

/** Where a seat is. @param {number} n */
export function placeOf(n) {
  return n % perRow === 0 || n % perRow === 1 ? texts.window : texts.aisle;
}

/**
 * The seats that are shown: their states, and which of them the passenger has chosen or holds.
 * @typedef {object} Seats
 * @property {(SeatState | undefined)[]} states by number
 * @property {Set<number>} chosen
 * @property {Set<number>} mine
 */

/**
 * How a seat looks: `free`, `chosen`, `held`, `booked` or `yours`.
 * @param {Seats} seats
 * @param {number} n
 */
export function lookOf({ states, chosen, mine }, n) {
  if (states[n] === 'available') return chosen.has(n) ? 'chosen' : 'free';
  if (states[n] === 'held') return mine.has(n) ? 'yours' : 'held';
  return 'booked';
}

/** @type {Record<string, string>} */
export const glyphs = { free: '', chosen: '✓', held: '◷', booked: '✕', yours: '★' };

/** @type {Record<string, string>} */
const names = { free: texts.free, chosen: texts.free, held: texts.held, booked: texts.booked, yours: texts.yours };

/** What a screen reader says. @param {Seats} seats @param {number} n */
export function nameOf(seats, n) {
  return texts.seatName(n, placeOf(n), names[lookOf(seats, n)] ?? '');
}

/** @param {Seats} seats @param {number} n */
export function stateName(seats, n) {
  return names[lookOf(seats, n)] ?? '';
}

/**
 * Up to five free seats that are not chosen, the nearest first, as the API chooses alternatives.
 * @param {Seats} seats
 * @param {number} n
 */
export function nearestFree({ states, chosen }, n) {
  const found = [];
  for (let distance = 1; distance < states.length && found.length < 5; distance++) {
    for (const other of [n - distance, n + distance]) {
      if (states[other] === 'available' && !chosen.has(other) && found.length < 5) found.push(other);
    }
  }
  return found;
}
