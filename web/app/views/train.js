import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call, newKey } from '../api.js';
import { formatNumber } from '../format.js';
import { LiveSeats } from '../live-seats.js';
import { exchangeBanner } from '../parts/exchange-banner.js';
import { lostSeats } from '../parts/lost-seats.js';
import { seatChoice } from '../parts/seat-choice.js';
import { nearestFree } from '../parts/seat.js';
import { seatLegend } from '../parts/seat-legend.js';
import '../parts/seat-list.js';
import '../parts/seat-map.js';
import { journey } from '../parts/train-card.js';
import { Problem } from '../problem.js';
import { loginURL, navigate, setQuery, url } from '../router.js';
import { session } from '../session.js';
import { loadStyles } from '../styles.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** @import { Lost } from '../parts/lost-seats.js' */
/** @import { Hold, Page, Train } from '../types.js' */

await loadStyles(import.meta.resolve('../css/seats.css'));

/** A train and its seats, as they change. The chosen ones are in the address. */
class TrainView extends View {
  static properties = { train: { state: true }, lost: { state: true }, mine: { state: true } };

  constructor() {
    super();
    /** @type {Train | undefined} */
    this.train = undefined;
    /** @type {LiveSeats | undefined} */
    this.live = undefined;
    /** @type {Lost | undefined} */
    this.lost = undefined;
    /** The seats that the passenger holds. @type {Set<number>} */
    this.mine = new Set();
    this.frame = 0;
  }

  get heading() {
    return this.train?.name ?? texts.chooseSeats;
  }

  get source() {
    return [this.route.params.id, this.query('from'), this.query('to')].join('\n');
  }

  get segment() {
    return { from: this.query('from') || undefined, to: this.query('to') || undefined };
  }

  get passengers() {
    return Number(this.query('passengers')) || 1;
  }

  get chosen() {
    return [...new Set(this.query('seats').split(',').map(Number))].filter(n => Number.isInteger(n) && n > 0).sort((a, b) => a - b);
  }

  /** @param {number[]} seats */
  set chosen(seats) {
    setQuery({ seats: [...seats].sort((a, b) => a - b).join(',') });
  }

  get seats() {
    return { states: this.live?.states ?? [], chosen: new Set(this.chosen), mine: this.mine };
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    const id = this.route.params.id ?? '';
    this.lost = undefined;
    this.train = await call('GET', `/v1/trains/${id}`, { signal, anonymous: true });
    const live = new LiveSeats(id, this.query('from'), this.query('to'));
    this.live = live;
    live.addEventListener('change', () => this.#changed());
    await Promise.all([new Promise(resolve => {
      live.addEventListener('change', resolve, { once: true });
      live.start(signal);
    }), this.#findMine(signal)]);
  }

  /** @param {AbortSignal} signal */
  async #findMine(signal) {
    await session.known;
    if (session.state !== 'in') return;
    /** @type {Page<Hold>} */
    const holds = await call('GET', '/v1/holds', { signal }).catch(() => ({ items: [] }));
    const here = holds.items.filter(hold => hold.train_id === this.train?.id);
    this.mine = new Set(here.flatMap(hold => hold.seats.map(seat => seat.seat_number)));
  }

  #changed() {
    // In a rush there are more changes than a screen can show.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.requestUpdate();
    });
    if (!this.busy) this.#findLost(false);
    if (this.live?.ended) announce(texts.live[this.live.connection] ?? '');
  }

  /**
   * Removes seats that someone else has taken from the choice, and offers free ones instead.
   * @param {boolean} late the passenger had asked to hold them
   * @param {number[]} [alternatives]
   */
  #findLost(late, alternatives) {
    const states = this.live?.states ?? [];
    if (states.length === 0) return false;
    const lost = this.chosen.filter(n => states[n] !== 'available');
    const [first] = lost;
    if (first === undefined) {
      this.#renewLost();
      return false;
    }
    this.chosen = this.chosen.filter(n => states[n] === 'available');
    const free = alternatives?.filter(n => states[n] === 'available') ?? [];
    this.lost = { seats: lost, alternatives: free.length > 0 ? free : nearestFree(this.seats, first), late };
    announce(texts.lost(lost));
    return true;
  }

  /** Replaces offered seats that are no longer free. */
  #renewLost() {
    const { lost, live } = this;
    const [first] = lost?.seats ?? [];
    if (!lost || first === undefined || lost.alternatives.every(n => live?.states[n] === 'available')) return;
    this.lost = { ...lost, alternatives: nearestFree(this.seats, first) };
  }

  /** @param {number} n */
  #toggle(n) {
    const { chosen } = this;
    this.lost = undefined;
    this.failure = undefined;
    this.chosen = chosen.includes(n) ? chosen.filter(other => other !== n) : [...chosen, n];
  }

  /** @param {number} n */
  async #remove(n) {
    this.#toggle(n);
    await this.updateComplete;
    this.#focus('#your-seats');
  }

  /** Takes a seat in place of the first that was lost. @param {number} n */
  async #take(n) {
    const { lost } = this;
    const rest = lost?.seats.slice(1) ?? [];
    this.chosen = [...this.chosen, n];
    this.lost = rest.length > 0 && lost ? { ...lost, seats: rest, alternatives: nearestFree(this.seats, rest[0] ?? n) } : undefined;
    await this.updateComplete;
    if (this.lost) this.#focus('[data-alternative]');
    else if (lost?.late) await this.#hold({ seats: this.chosen });
    else this.#focus('.choice .primary');
  }

  /** @param {string} selector */
  #focus(selector) {
    /** @type {HTMLElement | null} */ (this.querySelector(selector))?.focus();
  }

  /** @param {{ seats: number[] } | { count: number }} wish */
  async #hold(wish) {
    await session.known;
    if (session.state !== 'in') {
      navigate(loginURL());
      return;
    }
    this.lost = undefined;
    await this.act(async () => {
      const body = { train_id: this.train?.id, ...this.segment, ...wish };
      try {
        /** @type {Hold} */
        const hold = await call('POST', '/v1/holds', { body, key: newKey() });
        const seats = hold.seats.map(seat => seat.seat_number);
        setQuery({ seats: '' });
        navigate(url('/holds', { exchange: this.query('exchange') }), { notice: texts.heldUntil(seats) });
      } catch (error) {
        const problem = Problem.from(error);
        await this.live?.read().catch(() => {}); // so that the choice is compared with the current map
        if (!('seats' in wish) || !this.#findLost(true, problem.alternatives)) throw problem;
        await this.updateComplete;
        this.#focus('[data-alternative]');
      }
    });
  }

  /** @param {LiveSeats} live */
  #connection({ connection, ended }) {
    const text = texts.live[connection] ?? '';
    return ended ? html`<p class="notice bad">${text}</p>` : html`<span class=${`connection ${connection}`}>${text}</span>`;
  }

  body() {
    const { train, live, seats } = this;
    if (!train || !live) return nothing;
    const toggle = (/** @type {CustomEvent<number>} */ event) => this.#toggle(event.detail);
    return html`
      ${exchangeBanner(this.query('exchange'))}
      ${journey(train, this.query('from'), this.query('to'))}
      <p class="figures"><strong>${texts.available(formatNumber(live.countFree()))}</strong> ${this.#connection(live)}</p>
      <div class="seats">
        <div class="map">
          ${seatLegend()}
          <seat-map .seats=${seats} @seat=${toggle}></seat-map>
        </div>
        <div class="side">
          ${this.lost ? lostSeats(this.lost, n => this.#take(n), () => { this.lost = undefined; this.#focus('#your-seats'); }) : nothing}
          ${live.ended ? nothing : seatChoice({
            chosen: this.chosen,
            passengers: this.passengers,
            signedIn: session.state === 'in',
            busy: this.busy,
            failure: this.failure,
            remove: n => this.#remove(n),
            hold: () => this.#hold({ seats: this.chosen }),
            holdAny: () => this.#hold({ count: this.passengers }),
          })}
          <section class="card" aria-labelledby="seat-list"><h2 id="seat-list">${texts.list}</h2>
            <seat-list .seats=${seats} @seat=${toggle}></seat-list></section>
        </div>
      </div>`;
  }
}

customElements.define('train-view', TrainView);
