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
    /** @type {EventSource | undefined} */
    this.source = undefined;
    /** Whether the map is that of the stream, so that the stream can resume with the events it has missed. */
    this.resumable = false;
    this.left = new AbortController().signal;
    this.polling = new AbortController();
    this.pollTimer = 0; // not 0 while a poll is due or on its way
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

  /** Follows the seats. @param {AbortSignal} left ends it */
  start(left) {
    this.left = left;
    document.addEventListener('visibilitychange', this.onVisibility, { signal: left });
    left.addEventListener('abort', () => this.#pause());
    this.onVisibility();
  }

  /**
   * Reads the map now. Events of the stream may be older or newer than this map, and a change that has been undone is
   * in no event, so a new stream is begun.
   * @throws {Problem}
   */
  async read() {
    const seats = await this.#get(this.left);
    this.onVisibility();
    this.#replace(seats);
  }

  /** @param {AbortSignal} signal @returns {Promise<Seat[]>} */
  #get(signal) {
    return call('GET', `${this.path}/seats`, { query: this.segment, signal, anonymous: true });
  }

  #connect() {
    this.#pause();
    if (this.ended) return;
    this.#pollIn(pollAfter);
    this.#open();
  }

  /** Begins a stream, with the whole map. */
  #open() {
    this.source?.close();
    this.resumable = false;
    const query = new URLSearchParams(Object.entries(this.segment).filter(([, name]) => name));
    this.source = new EventSource(`${this.path}/events?${query}`);
    this.source.onopen = () => this.#opened();
    this.source.onerror = () => this.#failed();
    /** @param {string} type @param {(data: any) => void} listener */
    const on = (type, listener) => this.source?.addEventListener(type, event => listener(JSON.parse(event.data)));
    for (const type of ['seats', 'resync']) on(type, data => this.#live(() => this.#replace(data.seats)));
    on('seat', data => this.#live(() => this.#update(data.seats)));
    on('departed', () => this.#end('departed'));
    on('withdrawn', () => this.#end('withdrawn'));
  }

  #pause() {
    this.source?.close();
    this.#stopPolling();
    clearTimeout(this.connectTimer);
  }

  /** A stream that resumes and has missed nothing has no event. */
  #opened() {
    if (this.resumable) this.#live(() => this.#set('live'));
  }

  /** The browser connects again by itself, unless the response was an error. */
  #failed() {
    if (this.connection === 'live') this.#set('connecting');
    if (this.source?.readyState === EventSource.CLOSED) {
      this.resumable = false;
      this.connectTimer = setTimeout(() => this.#connect(), connectEvery);
      this.#stopPolling();
      this.#pollIn(0);
    } else {
      this.#pollIn(pollAfter);
    }
  }

  /** Polls after a while, unless that is due already. @param {number} wait */
  #pollIn(wait) {
    this.pollTimer ||= setTimeout(() => this.#poll(), wait);
  }

  #stopPolling() {
    this.polling.abort();
    clearTimeout(this.pollTimer);
    this.pollTimer = 0;
  }

  async #poll() {
    this.polling = new AbortController();
    const { signal } = this.polling;
    try {
      this.#replace(await this.#get(signal));
      this.#set('polling');
      if (this.resumable) this.#open();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status === 404) {
        this.#end('withdrawn');
        return;
      }
      this.#set('connecting');
    }
    this.pollTimer = 0;
    this.#pollIn(pollEvery);
  }

  /** @param {() => void} apply */
  #live(apply) {
    this.#stopPolling();
    this.connection = 'live';
    this.resumable = true;
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
