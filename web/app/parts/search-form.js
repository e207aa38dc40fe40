import { html } from 'lit';
import { today } from '../format.js';
import { navigate, url } from '../router.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { field, focusInvalid, valuesOf } from './field.js';
import './station-field.js';

export const maxPassengers = 10;

/**
 * Where from, where to, when and how many. Fires `search` when a value changes, with all of them as detail.
 */
class SearchForm extends Component {
  static properties = { search: { attribute: false }, errors: { state: true } };

  constructor() {
    super();
    /** As in the address: from, to, date, passengers, exchange. @type {Record<string, string>} */
    this.search = {};
    /** @type {Record<string, string>} */
    this.errors = {};
  }

  /** @param {Record<string, string>} changes */
  #change(changes) {
    this.search = { ...this.search, ...changes };
    this.dispatchEvent(new CustomEvent('search', { detail: this.search }));
  }

  #swap() {
    this.#change({ from: this.search.to ?? '', to: this.search.from ?? '' });
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    const values = valuesOf(event);
    const from = (values.from ?? '').trim();
    const to = (values.to ?? '').trim();
    this.errors = {};
    if (from === '') this.errors.from = texts.chooseStation;
    if (to === '') this.errors.to = texts.chooseStation;
    else if (to.toLowerCase() === from.toLowerCase()) this.errors.to = texts.otherStation;
    if (Object.keys(this.errors).length > 0) {
      void focusInvalid(this);
      return;
    }
    const passengers = Math.min(maxPassengers, Math.max(1, Number(values.passengers) || 1));
    navigate(url('/search', { ...this.search, from, to, date: values.date, passengers }));
  }

  render() {
    const { from = '', to = '', date, passengers } = this.search;
    /** @param {string} name @returns {(event: CustomEvent<string>) => void} */
    const station = name => event => this.#change({ [name]: event.detail });
    /** @param {Event} event */
    const input = event => {
      const { name, value } = /** @type {HTMLInputElement} */ (event.target);
      // A date that is being typed is empty, and must not be replaced meanwhile.
      if (value && ['date', 'passengers'].includes(name)) this.#change({ [name]: value });
    };
    return html`
      <form class="search card" role="search" novalidate @submit=${this.#submit} @change=${input}>
        <station-field name="from" label=${texts.from} .value=${from} .error=${this.errors.from ?? ''}
          @station=${station('from')}></station-field>
        <button type="button" class="swap" aria-label=${texts.swap} title=${texts.swap} @click=${this.#swap}>
          <span aria-hidden="true">⇄</span></button>
        <station-field name="to" label=${texts.to} .value=${to} .error=${this.errors.to ?? ''}
          @station=${station('to')}></station-field>
        ${field({ name: 'date', label: texts.date, type: 'date', value: date || today() })}
        ${field({
          name: 'passengers', label: texts.passengers, type: 'number', value: passengers || '1', min: 1,
          max: maxPassengers, inputmode: 'numeric',
        })}
        <button class="primary">${texts.findTrains}</button>
      </form>`;
  }
}

customElements.define('search-form', SearchForm);
