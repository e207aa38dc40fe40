// Dates, times and numbers as people read them.

/** @import { Stop, Train } from './types.js' */

const locale = document.documentElement.lang;
const number = new Intl.NumberFormat(locale);
const clockTime = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
const shortDay = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
const hour = new Intl.NumberFormat(locale, { style: 'unit', unit: 'hour', unitDisplay: 'short' });
const minute = new Intl.NumberFormat(locale, { style: 'unit', unit: 'minute', unitDisplay: 'short' });

/** @param {number | undefined} n */
export const formatNumber = n => number.format(n ?? 0);

/** The date of a station, or YYYY-MM-DD. @param {string} date */
export const formatDay = date => day.format(local(date));

/** @param {string} date */
export const formatShortDay = date => shortDay.format(local(date));

/** The local time of a station. @param {string} time RFC 3339 with the offset of the station */
export const formatTime = time => clockTime.format(local(time));

/** A moment, in the time zone of the reader. @param {string} time RFC 3339 */
export const formatMoment = time => moment.format(new Date(time));

/** @param {string} from RFC 3339 @param {string} to RFC 3339 */
export function formatDuration(from, to) {
  const minutes = Math.round((Date.parse(to) - Date.parse(from)) / 60000);
  const parts = [hour.format(Math.floor(minutes / 60)), minute.format(minutes % 60)];
  return minutes < 60 ? parts[1] : minutes % 60 === 0 ? parts[0] : parts.join(' ');
}

/** How much time is left, as 2:05. @param {number} seconds */
export function formatCountdown(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
}

/** Today in the time zone of the reader: YYYY-MM-DD. */
export function today() {
  const date = new Date();
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
}

/** @param {string} date YYYY-MM-DD @param {number} days */
export function addDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86400000).toISOString().slice(0, 10);
}

/** The local time of a station, as if it were UTC. @param {string} time */
function local(time) {
  return new Date(time.length === 10 ? `${time}T00:00:00Z` : `${time.slice(0, 19)}Z`);
}

/**
 * The form in which the names of stations are compared, as in the API: without case, diacritics and hyphens.
 * @param {string} name
 */
function stationKey(name) {
  return name.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase().replace(/[\s-]+/g, ' ').trim();
}

/**
 * The stops of a train where a passenger gets on and off: the named ones, or else the first and the last.
 * @param {Train} train
 * @param {string} [from]
 * @param {string} [to]
 * @returns {{ from: Stop, to: Stop, between: number }}
 */
export function segmentOf(train, from, to) {
  /** @param {string | undefined} name @param {number} otherwise */
  const find = (name, otherwise) => {
    const i = name ? train.stops.findIndex(stop => stationKey(stop.station) === stationKey(name)) : -1;
    return i < 0 ? otherwise : i;
  };
  const first = find(from, 0);
  const last = find(to, train.stops.length - 1);
  const at = (/** @type {number} */ i) => /** @type {Stop} */ (train.stops[i]);
  return { from: at(first), to: at(last), between: last - first - 1 };
}
