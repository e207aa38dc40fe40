import { html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { announce } from '../announce.js';
import { call, pause } from '../api.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';

/** @import { Page } from '../types.js' */
/** @typedef {{ name: string, trains: number }} Station */

const delay = 0.15;

/**
 * A field for a station that suggests stations: an ARIA combobox with a list. Fires `station` with the name
 * as detail when it changes.
 */
class StationField extends Component {
  static properties = {
    name: {}, label: {}, value: {}, error: {},
    stations: { state: true }, open: { state: true }, active: { state: true },
  };

  constructor() {
    super();
    this.name = '';
    this.label = '';
    this.value = '';
    this.error = '';
    /** @type {Station[]} */
    this.stations = [];
    this.open = false;
    /** The place of the suggestion that Enter takes; -1 is none. */
    this.active = -1;
    this.typing = new AbortController();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.typing.abort();
  }

  /** @param {InputEvent} event */
  async #input(event) {
    this.#change(/** @type {HTMLInputElement} */ (event.target).value);
    this.typing.abort();
    this.typing = new AbortController();
    const { signal } = this.typing;
    try {
      await pause(delay, signal);
      await this.#suggest(signal);
    } catch {
      if (!signal.aborted) this.#close(); // a name can be entered without suggestions too
    }
  }

  /** @param {AbortSignal} signal */
  async #suggest(signal) {
    const q = this.value.trim();
    if (q === '') {
      this.#close();
      return;
    }
    /** @type {Page<Station>} */
    const page = await call('GET', '/v1/stations', { query: { q }, signal, anonymous: true });
    this.stations = page.items;
    this.active = -1;
    this.open = page.items.length > 0;
    announce(texts.suggestions(page.items.length));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (this.stations.length === 0) return;
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const places = this.stations.length + 1; // the field itself is one too
      this.active = !this.open && step < 0 ? places - 2 : (this.active + 1 + step + places) % places - 1;
      this.open = true;
    } else if (event.key === 'Enter' && this.open && this.active >= 0) {
      this.#take(/** @type {Station} */ (this.stations[this.active]));
    } else if (event.key === 'Escape' && this.open) {
      this.#close();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {Station} station */
  #take(station) {
    this.#change(station.name);
    this.stations = [];
    this.#close();
  }

  #close() {
    this.open = false;
    this.active = -1;
  }

  /** @param {FocusEvent} event */
  #left(event) {
    if (this.contains(/** @type {Node | null} */ (event.relatedTarget))) return;
    this.typing.abort();
    this.#close();
  }

  /** @param {string} value */
  #change(value) {
    this.value = value;
    this.dispatchEvent(new CustomEvent('station', { detail: value }));
  }

  render() {
    const { name } = this;
    const active = this.open && this.active >= 0 ? `${name}-option-${this.active}` : nothing;
    return html`
      <div class="field combobox" @focusout=${this.#left}>
        <label for=${name}>${this.label}</label>
        <input id=${name} name=${name} type="text" maxlength="255" autocomplete="off" spellcheck="false"
          role="combobox" aria-autocomplete="list" aria-expanded=${this.open ? 'true' : 'false'}
          aria-controls=${`${name}-list`} aria-activedescendant=${active}
          aria-invalid=${this.error ? 'true' : nothing} aria-describedby=${this.error ? `${name}-error` : nothing}
          .value=${live(this.value)} @input=${this.#input} @keydown=${this.#key}>
        <ul id=${`${name}-list`} role="listbox" aria-label=${this.label} ?hidden=${!this.open}>
          ${this.stations.map((station, i) => html`
            <li id=${`${name}-option-${i}`} role="option" aria-selected=${i === this.active ? 'true' : 'false'}
              @mousedown=${(/** @type {Event} */ event) => event.preventDefault()}
              @click=${() => this.#take(station)}>
              <span>${station.name}</span> <span class="small">${texts.stationTrains(station.trains)}</span>
            </li>`)}
        </ul>
        ${this.error ? html`<p class="error" id=${`${name}-error`}>${this.error}</p>` : nothing}
      </div>`;
  }
}

customElements.define('station-field', StationField);
