import { call } from './api.js';
import { Problem } from './problem.js';

/** @import { Seat, SeatState } from './types.js' */
/** @typedef {'connecting' | 'live' | 'polling' | 'departed' | 'withdrawn'} Connection */

const pollEvery = 4000;
const pollAfter = 6000; // without a connection
const connectEvery = 30000;

/**
 * The seats of a train on a segment, as they change. Follows the events of the service, and polls while there is
 * no stream of them. Fires `change` when a seat or the connection has changed.
 *
 * A browser opens few connections to one host, so the stream is closed while the page is hidden.
 */
export class LiveSeats extends EventTarget {
  /**
   * @param {string} train its id
   * @param {string} from empty: the first station
   * @param {string} to
   */
  constructor(train, from, to) {
    super();
    this.path = `/v1/trains/${train}`;
    this.segment = { from, to };
    /** The states by the number of the seat; empty before the first map. @type {(SeatState | undefined)[]} */
    this.states = [];
    /** @type {Connection} */
    this.connection = 'connecting';
    this.abort = new AbortController();
    /** @type {EventSource | undefined} */
    this.source = undefined;
    this.pollTimer = 0;
    this.connectTimer = 0;
    this.onVisibility = () => document.hidden ? this.#pause() : this.#connect();
  }

  get capacity() {
    return Math.max(0, this.states.length - 1);
  }

  get ended() {
    return this.connection === 'departed' || this.connection === 'withdrawn';
  }

  countFree() {
    return this.states.reduce((count, state) => state === 'available' ? count + 1 : count, 0);
  }

  /** Follows the seats until stop. */
  start() {
    document.addEventListener('visibilitychange', this.onVisibility);
    this.onVisibility();
  }

  stop() {
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.#pause();
  }

  /** Reads the map now. @throws {Problem} */
  async read() {
    const seats = await call('GET', `${this.path}/seats`, { query: this.segment, signal: this.abort.signal, anonymous: true });
    this.#replace(seats);
  }

  #connect() {
    this.#pause();
    if (this.ended) return;
    this.abort = new AbortController();
    this.#pollIn(pollAfter);
    const query = new URLSearchParams(Object.entries(this.segment).filter(([, name]) => name));
    this.source = new EventSource(`${this.path}/events?${query}`);
    this.source.onerror = () => this.#failed();
    /** @param {string} type @param {(data: any) => void} listener */
    const on = (type, listener) => this.source?.addEventListener(type, event => listener(JSON.parse(event.data)));
    for (const type of ['seats', 'resync']) on(type, data => this.#live(() => this.#replace(data.seats)));
    on('seat', data => this.#live(() => this.#update(data.seats)));
    on('departed', () => this.#end('departed'));
    on('withdrawn', () => this.#end('withdrawn'));
  }

  #pause() {
    this.abort.abort();
    this.source?.close();
    this.#stopPolling();
    clearTimeout(this.connectTimer);
  }

  /** The browser connects again by itself, unless the response was an error. */
  #failed() {
    if (this.source?.readyState === EventSource.CLOSED) {
      this.connectTimer = setTimeout(() => this.#connect(), connectEvery);
      void this.#poll();
    } else {
      if (this.connection === 'live') this.#set('connecting');
      this.#pollIn(pollAfter);
    }
  }

  /** Polls after a while, unless that is due already. @param {number} wait */
  #pollIn(wait) {
    this.pollTimer ||= setTimeout(() => this.#poll(), wait);
  }

  #stopPolling() {
    clearTimeout(this.pollTimer);
    this.pollTimer = 0;
  }

  async #poll() {
    this.#stopPolling();
    try {
      await this.read();
      this.#set('polling');
    } catch (error) {
      if (this.abort.signal.aborted) return;
      if (error instanceof Problem && error.status === 404) {
        this.#end('withdrawn');
        return;
      }
      this.#set('connecting');
    }
    this.#pollIn(pollEvery);
  }

  /** @param {() => void} apply */
  #live(apply) {
    this.#stopPolling();
    this.connection = 'live';
    apply();
  }

  /** @param {Seat[]} seats */
  #replace(seats) {
    /** @type {(SeatState | undefined)[]} */
    const states = [undefined];
    for (const seat of seats) states[seat.seat_number] = seat.state;
    this.states = states;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {Seat[]} seats */
  #update(seats) {
    for (const seat of seats) {
      if (seat.seat_number <= this.capacity) this.states[seat.seat_number] = seat.state;
    }
    this.dispatchEvent(new Event('change'));
  }

  /** @param {'departed' | 'withdrawn'} why */
  #end(why) {
    this.#pause();
    this.#set(why);
  }

  /** @param {Connection} connection */
  #set(connection) {
    this.connection = connection;
    this.dispatchEvent(new Event('change'));
  }
}
