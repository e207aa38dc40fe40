import { html } from 'lit';
import { announce } from '../announce.js';
import { now } from '../clock.js';
import { formatCountdown } from '../format.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';

/**
 * The time left until a hold ends. It is not read out each second, but at 60 and 15 seconds. Fires `ended`.
 */
class CountDown extends Component {
  static properties = { until: {}, seats: { attribute: false }, left: { state: true } };

  constructor() {
    super();
    /** RFC 3339. */
    this.until = '';
    /** The seats of the hold, for what is read out. @type {number[]} */
    this.seats = [];
    /** In seconds. */
    this.left = Infinity;
    this.timer = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.timer = setInterval(() => this.#tick(), 250);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('until')) this.left = this.#left();
  }

  #left() {
    return Math.ceil((Date.parse(this.until) - now()) / 1000);
  }

  #tick() {
    const before = this.left;
    this.left = this.#left();
    /** @param {number} seconds */
    const passed = seconds => before > seconds && this.left <= seconds;
    if (passed(0)) {
      announce(texts.holdEnded(this.seats));
      this.dispatchEvent(new Event('ended'));
    } else if (passed(15)) {
      announce(texts.lastSeconds(this.seats));
    } else if (passed(60)) {
      announce(texts.lastMinute(this.seats));
    }
  }

  render() {
    const look = this.left <= 15 ? 'last' : this.left <= 60 ? 'soon' : '';
    return html`
      <p class=${`countdown ${look}`} role="timer" aria-live="off">
        <span class="small">${texts.timeLeft}</span> <strong>${formatCountdown(this.left)}</strong></p>`;
  }
}

customElements.define('count-down', CountDown);
