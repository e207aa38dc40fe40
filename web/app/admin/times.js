// Times with a UTC offset, as the fields of a form have them.

/** @import { Stop } from '../types.js' */
/** @import { StopDraft } from './stops-editor.js' */

/** @param {string} time RFC 3339 */
const offsetOf = time => time.endsWith('Z') ? '+00:00' : time.slice(-6);

/** @param {string} offset such as +05:30 */
function minutesOf(offset) {
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** What a field of the type datetime-local has of a moment. @param {number} milliseconds */
function fieldOf(milliseconds) {
  const text = new Date(milliseconds).toISOString();
  return text.endsWith(':00.000Z') ? text.slice(0, 16) : text.slice(0, 19);
}

/** @param {string | undefined} time @param {string} offset */
const localOf = (time, offset) => time ? fieldOf(Date.parse(time) + minutesOf(offset) * 60000) : '';

/** @param {string | undefined} local @param {string} offset */
function timeOf(local, offset) {
  if (!local) return undefined;
  return (local.length === 16 ? `${local}:00` : local) + (readOffset(offset) ?? '');
}

/** An offset as RFC 3339 writes it, from 5:30, +0530, -3 or Z; undefined if it is none. @param {string} text */
export function readOffset(text) {
  const [, sign, hours = '', minutes = '00'] = /^\s*([+\-−]?)(\d\d?)(?::?(\d\d))?\s*$/.exec(text.replace(/^\s*[zZ]\s*$/, '0')) ?? [];
  return hours ? `${sign === '-' || sign === '−' ? '-' : '+'}${hours.padStart(2, '0')}:${minutes}` : undefined;
}

/** A stop of a train, for a form. @param {Stop} stop @returns {StopDraft} */
export function draftOf({ station, arrives_at, departs_at }) {
  const offset = offsetOf(departs_at ?? arrives_at ?? fieldOf(0) + offsetHere());
  return { station, arrives_at: localOf(arrives_at, offset), departs_at: localOf(departs_at, offset), offset };
}

/** A stop for the API. @param {StopDraft} draft */
export function stopOf({ station, arrives_at, departs_at, offset = '' }) {
  return { station, arrives_at: timeOf(arrives_at, offset), departs_at: timeOf(departs_at, offset) };
}

/** The UTC offset of the reader. */
export function offsetHere(now = new Date()) {
  const minutes = -now.getTimezoneOffset();
  const part = (/** @type {number} */ n) => String(Math.floor(n)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${part(Math.abs(minutes) / 60)}:${part(Math.abs(minutes) % 60)}`;
}

/** The time zone of the reader. */
export const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A moment by the clock of the reader, for a field. @param {string | undefined} time */
export function hereOf(time) {
  const moment = new Date(time ?? NaN);
  return time ? fieldOf(moment.getTime() - moment.getTimezoneOffset() * 60000) : '';
}

/**
 * The moment that a field has. One that was not changed stays as exact as it was.
 * @param {string | undefined} local
 * @param {string | undefined} before
 */
export function momentOf(local, before) {
  if (!local) return undefined;
  return local === hereOf(before) ? before : new Date(local).toISOString();
}
