// The bodies of the API, as in api/openapi.yaml. There are only types here; nothing loads this module.
export {};

/**
 * @typedef {object} Stop
 * @property {string} station
 * @property {string} [arrives_at] RFC 3339, with the UTC offset of the station
 * @property {string} [departs_at]
 */

/**
 * `booked`, `held` and `available` are those of the segment that was asked for.
 * @typedef {object} Train
 * @property {string} id
 * @property {string} name
 * @property {number} capacity
 * @property {boolean} on_sale
 * @property {string} [sales_open_at]
 * @property {Stop[]} stops
 * @property {string} [schedule_id]
 * @property {string} [service_date]
 * @property {number} [booked]
 * @property {number} [held]
 * @property {number} [available]
 */

/** @typedef {'available' | 'held' | 'booked'} SeatState */

/**
 * @typedef {object} Seat
 * @property {number} seat_number
 * @property {SeatState} state
 */

/**
 * @typedef {object} HeldSeat
 * @property {string} seat_id
 * @property {number} seat_number
 */

/**
 * `train_id`, `from`, `to` and `train` are in lists only.
 * @typedef {object} Hold
 * @property {string} hold_id
 * @property {HeldSeat[]} seats
 * @property {number} from_stop
 * @property {number} to_stop
 * @property {string} expires_at
 * @property {boolean} extended
 * @property {string} train_id
 * @property {string} from
 * @property {string} to
 * @property {Train} train
 */

/**
 * @typedef {object} Booking
 * @property {string} booking_id
 * @property {string} train_id
 * @property {string} user_id
 * @property {HeldSeat[]} seats
 * @property {string} [from]
 * @property {string} [to]
 * @property {number} from_stop
 * @property {number} to_stop
 * @property {string} booked_at
 * @property {Train} [train]
 * @property {'confirmed' | 'cancelled'} state
 * @property {string} [cancelled_at]
 * @property {'passenger' | 'admin' | 'train'} [cancelled_by]
 */

/**
 * @typedef {object} User
 * @property {string} id
 * @property {string} username
 * @property {string} email
 * @property {boolean} is_admin
 * @property {boolean} disabled
 * @property {string} created_at
 * @property {string} [deleted_at]
 */

/**
 * @typedef {object} LocalStop
 * @property {string} station
 * @property {string} [arrives] of the service day: 25:10 is 01:10 on the next day
 * @property {string} [departs]
 * @property {string} [time_zone]
 */

/**
 * The last four are in responses to GET only.
 * @typedef {object} Schedule
 * @property {string} id
 * @property {string} name
 * @property {number} capacity
 * @property {boolean} on_sale
 * @property {string} time_zone
 * @property {string[]} days mon, tue, …
 * @property {string} from YYYY-MM-DD
 * @property {string} until
 * @property {{ date: string, runs: boolean }[]} exceptions
 * @property {number} sold_days_ahead
 * @property {LocalStop[]} stops
 * @property {string} [next_departure]
 * @property {string} [sold_until]
 * @property {number} [departures_with_sales]
 * @property {{ count: number, dates: string[] }} [diverged] the first of the dates
 */

/**
 * @typedef {object} Departure
 * @property {string} date
 * @property {boolean} diverged
 * @property {boolean} cancelled
 * @property {Train} train
 */

/**
 * @typedef {object} ProblemBody
 * @property {number} status
 * @property {string} code
 * @property {string} error
 * @property {string} detail
 * @property {string} instance
 * @property {Record<string, string>} fields
 * @property {number[]} seats
 * @property {number[]} alternatives
 * @property {number} available
 * @property {string} becomes_free_at
 * @property {string} sales_open_at
 * @property {'not_executed' | 'unknown'} outcome
 */

/**
 * @template T
 * @typedef {{ items: T[], next_cursor: string, incomplete?: boolean }} Page
 */
