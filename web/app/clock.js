// The clock of a device may be wrong by minutes, and a hold lasts three. `Date` of a response has whole seconds.

const tolerance = 2000;
let offset = 0;

/** @param {string | null} date the header Date of a response that has just come */
export function correctClock(date) {
  const difference = date ? Date.parse(date) + 500 - Date.now() : NaN;
  if (Number.isNaN(difference)) return;
  offset = Math.abs(difference) > tolerance ? difference : 0;
}

/** The time of the service, in milliseconds. */
export function now() {
  return Date.now() + offset;
}
