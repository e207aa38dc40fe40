import { html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { announce } from '../announce.js';
import '../parts/station-field.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { words } from './texts.js';

/** What is entered for a stop, by the name of its column, and `station`. @typedef {Record<string, string>} StopDraft */

/**
 * A column besides the station. Its name is that of the field in the API, so that errors find it.
 * @typedef {object} Column
 * @property {string} name
 * @property {string} label
 * @property {string} [type]
 * @property {string} [list] the id of a datalist
 * @property {boolean} [notFirst] the first stop has none
 * @property {boolean} [notLast]
 */

const fewest = 2;
const most = 64;

/** Edits the stops of a train or schedule, in their order. Fires `stops` with all of them as detail. */
class StopsEditor extends Component {
  static properties = { stops: { attribute: false }, columns: { attribute: false }, errors: { attribute: false }, hint: {} };

  constructor() {
    super();
    /** @type {StopDraft[]} */
    this.stops = [];
    /** @type {Column[]} */
    this.columns = [];
    /** @type {Record<string, string>} */
    this.errors = {};
    this.hint = '';
  }

  /** @param {StopDraft[]} stops */
  #change(stops) {
    this.stops = stops;
    this.dispatchEvent(new CustomEvent('stops', { detail: stops }));
  }

  /** @param {number} i @param {string} name @param {string} value */
  #set(i, name, value) {
    this.#change(this.stops.map((stop, at) => at === i ? { ...stop, [name]: value } : stop));
  }

  /** A new stop keeps what its neighbour has of the columns that seldom differ. */
  async #add() {
    const { offset = '' } = this.stops.at(-1) ?? {};
    this.#change([...this.stops, { station: '', offset }]);
    await this.#focus(`stops[${this.stops.length - 1}].station`);
  }

  /** @param {number} i */
  async #remove(i) {
    this.#change(this.stops.filter((_, at) => at !== i));
    announce(words.stopRemoved(i + 1));
    await this.#focus(`stops[${Math.min(i, this.stops.length - 1)}].station`);
  }

  /** @param {number} i @param {number} step */
  async #move(i, step) {
    const stops = [...this.stops];
    const [stop] = stops.splice(i, 1);
    if (stop) stops.splice(i + step, 0, stop);
    this.#change(stops);
    announce(words.stopMoved(i + step + 1));
    await this.#focus(`stop-${i + step}-${step < 0 ? 'up' : 'down'}`, `stop-${i + step}-${step < 0 ? 'down' : 'up'}`);
  }

  /** Moves the focus to the first of the elements that exists. @param {...string} ids */
  async #focus(...ids) {
    await this.updateComplete;
    ids.map(id => document.getElementById(id)).find(element => element)?.focus();
  }

  /** @param {number} i @param {Column} column */
  #field(i, { name, label, type = 'text', list, notFirst, notLast }) {
    if (notFirst && i === 0 || notLast && i === this.stops.length - 1) return html`<div class="field"></div>`;
    const id = `stops[${i}].${name}`;
    const error = this.errors[id];
    return html`
      <div class="field">
        <label for=${id}>${label}</label>
        <input id=${id} type=${type} list=${list ?? nothing} autocomplete="off" spellcheck="false"
          .value=${live(this.stops[i]?.[name] ?? '')}
          aria-invalid=${error ? 'true' : nothing} aria-describedby=${error ? `${id}-error` : nothing}
          @change=${(/** @type {Event} */ event) => this.#set(i, name, /** @type {HTMLInputElement} */ (event.target).value)}>
        ${error ? html`<p class="error" id=${`${id}-error`}>${texts.capital(error)}</p>` : nothing}
      </div>`;
  }

  /** @param {number} i */
  #buttons(i) {
    const button = (/** @type {string} */ id, /** @type {string} */ name, /** @type {string} */ sign, /** @type {() => void} */ click) =>
      html`<button type="button" id=${`stop-${i}-${id}`} aria-label=${name} title=${name} @click=${click}>
        <span aria-hidden="true">${sign}</span></button>`;
    return html`
      <div class="stop-buttons">
        ${i > 0 ? button('up', words.stopUp(i + 1), '↑', () => this.#move(i, -1)) : nothing}
        ${i < this.stops.length - 1 ? button('down', words.stopDown(i + 1), '↓', () => this.#move(i, 1)) : nothing}
        ${this.stops.length > fewest ? button('remove', words.removeStop(i + 1), '✕', () => this.#remove(i)) : nothing}
      </div>`;
  }

  render() {
    const error = this.errors.stops;
    return html`
      <fieldset id="stops" class="stops" aria-describedby="stops-hint">
        <legend>${words.stops}</legend>
        <p class="hint" id="stops-hint">${this.hint}</p>
        ${error ? html`<p class="error">${texts.capital(error)}</p>` : nothing}
        <ol>
          ${this.stops.map((stop, i) => html`
            <li><fieldset>
              <legend class="small">${words.stop(i + 1)}</legend>
              <div class="stop">
                <station-field name=${`stops[${i}].station`} label=${words.station} .value=${stop.station ?? ''}
                  .error=${texts.capital(this.errors[`stops[${i}].station`] ?? '')}
                  @station=${(/** @type {CustomEvent<string>} */ event) => this.#set(i, 'station', event.detail)}></station-field>
                ${this.columns.map(column => this.#field(i, column))}
                ${this.#buttons(i)}
              </div>
            </fieldset></li>`)}
        </ol>
        ${this.stops.length < most ? html`<button type="button" @click=${this.#add}>${words.addStop}</button>` : nothing}
      </fieldset>`;
  }
}

customElements.define('stops-editor', StopsEditor);
