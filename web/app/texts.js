// Every text of the page. Dates, times and numbers come from format.js.

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** @param {number[]} seats */
const seatList = seats => `${seats.length === 1 ? 'seat' : 'seats'} ${seats.join(', ')}`;

/** @param {string} text */
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

export const texts = {
  name: 'Trainbooking',
  skip: 'Skip to the content',
  navigation: 'Pages',
  search: 'Search',
  holds: 'My holds',
  bookings: 'My bookings',
  account: 'Account',
  logIn: 'Log in',
  logOut: 'Log out',
  register: 'Register',
  api: 'API',
  loading: 'Loading…',
  retry: 'Try again',
  reload: 'The page has a new version. Reload it.',
  more: 'Show more',
  missing: 'There is no such page',
  missingHint: 'The address may be wrong, or what it named is gone.',
  requestID: 'Request',
  stopExchange: 'Keep the booking',
  exchanging: 'You are exchanging a booking. Choose other seats, on any train.',
  adminOnly: 'This page is for admins.',

  problems: /** @type {Record<string, string>} */ ({
    network: 'The service cannot be reached. Check the connection and try again.',
    internal: 'Something went wrong.',
    unavailable: 'The service is busy. Try again in a moment.',
    storage_full: 'The service cannot store anything at the moment. Try again later.',
    timeout: 'The service took too long. Try again in a moment.',
    not_found: 'This does not exist, or it is not yours.',
    unauthenticated: 'Log in to do this.',
    invalid_credentials: 'The username or the password is wrong.',
    disabled: 'This account is disabled.',
    forbidden: 'You may not do this.',
    invalid_request: 'Something in the form is not right.',
    already_exists: 'This is taken.',
    rate_limited: 'Too many attempts. Wait a moment.',
    seat_locked: 'Someone else is holding this seat.',
    seat_booked: 'This seat has been booked.',
    held_too_long: 'You held this seat before, and somebody else is waiting for it.',
    not_enough_seats: 'There are not enough free seats.',
    too_many_seats: 'You cannot have more seats on this train.',
    too_many_holds: 'You hold as many seats on this train as you may. Book or release some first.',
    hold_expired: 'The hold has ended.',
    seat_not_locked: 'You no longer hold these seats.',
    hold_confirmed: 'These seats are booked already.',
    booking_cancelled: 'The booking has been cancelled.',
    departed: 'The train has left.',
    not_on_sale: 'This train is not on sale.',
  }),

  searchTitle: 'Where are you going?',
  from: 'From',
  to: 'To',
  date: 'Date',
  passengers: 'Passengers',
  swap: 'Swap From and To',
  findTrains: 'Find trains',
  suggestions: (/** @type {number} */ n) => n === 0 ? 'No station found' : `${plural(n, 'station')} found`,
  stationTrains: (/** @type {number} */ n) => plural(n, 'train'),
  chooseStation: 'Enter a station.',
  otherStation: 'Enter another station than in From.',

  resultsTitle: (/** @type {string} */ from, /** @type {string} */ to) => `${from} to ${to}`,
  changeSearch: 'Change the search',
  previousDay: 'Day before',
  nextDay: 'Day after',
  noTrains: 'No trains run on this day.',
  trainsFound: (/** @type {number} */ n, /** @type {boolean} */ more) => `${plural(n, 'train')}${more ? ' and more' : ''}`,
  incomplete: 'Some trains could not be read and are missing.',
  noTimes: 'No times given',
  freeSeats: (/** @type {string} */ free, /** @type {string} */ capacity) => `${free} of ${capacity} seats free`,
  full: 'Full',
  tooFew: (/** @type {number} */ n) => `fewer than ${plural(n, 'passenger')}`,
  notOnSale: 'Not on sale',
  salesOpen: (/** @type {string} */ when) => `On sale from ${when}`,
  chooseSeats: 'Choose seats',
  departs: 'Departs',
  arrives: 'Arrives',
  duration: 'Duration',
  direct: 'No stops between',
  stopsBetween: (/** @type {number} */ n) => `${plural(n, 'stop')} between`,

  plural, seatList, capital,
};
