import { html } from 'lit';
import { field, valuesOf } from '../parts/field.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { Draft } from './draft.js';
import { checkbox, focusFirstError, noErrors, numberOf } from './parts.js';
import './stops-editor.js';
import { words } from './texts.js';
import { draftOf, hereOf, momentOf, offsetHere, readOffset, stopOf, zoneHere } from './times.js';

/** @import { Train } from '../types.js' */
/** @import { StopDraft } from './stops-editor.js' */

const columns = [
  { name: 'arrives_at', label: words.arrives, type: 'datetime-local' },
  { name: 'departs_at', label: words.departs, type: 'datetime-local' },
  { name: 'offset', label: words.offset },
];

/** The form of a train. Fires `save` with the body for the API as detail. */
export class TrainForm extends Component {
  static properties = {
    train: { attribute: false }, errors: { attribute: false }, busy: { type: Boolean }, stops: { state: true }, offsets: { state: true },
  };

  constructor() {
    super();
    /** The train that is changed; none: a new one. @type {Train | undefined} */
    this.train = undefined;
    /** What is wrong, by the names of the API. @type {Record<string, string>} */
    this.errors = {};
    this.busy = false;
    this.draft = new Draft();
    /** What is wrong with the offsets, which the API has only as a part of times. @type {Record<string, string>} */
    this.offsets = noErrors;
    /** @type {StopDraft[]} */
    this.stops = [{ station: '', offset: offsetHere() }, { station: '', offset: offsetHere() }];
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('train') || !this.train) return;
    this.stops = this.train.stops.map(draftOf);
    this.draft.clear();
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    if (changed.has('errors') || changed.has('offsets')) focusFirstError(this);
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    const { name, capacity, on_sale, sales_open_at } = valuesOf(event);
    const wrong = this.stops.flatMap(({ arrives_at, departs_at, offset = '' }, i) =>
      (arrives_at || departs_at) && !readOffset(offset) ? [[`stops[${i}].offset`, words.wrongOffset]] : []);
    this.offsets = wrong.length > 0 ? Object.fromEntries(wrong) : noErrors;
    if (wrong.length > 0) return;
    const detail = {
      name, capacity: numberOf(capacity), on_sale: on_sale === 'on',
      sales_open_at: momentOf(sales_open_at, this.train?.sales_open_at), stops: this.stops.map(stopOf),
    };
    this.dispatchEvent(new CustomEvent('save', { detail }));
  }

  /** @param {string} name */
  #error(name) {
    return texts.capital(this.errors[name] ?? '');
  }

  render() {
    const { draft, train } = this;
    return html`
      <form class="card grid" novalidate @submit=${this.#submit} @input=${draft.input}>
        ${field({ name: 'name', label: words.name, value: draft.value('name', train?.name), error: this.#error('name') })}
        ${field({
          name: 'capacity', label: words.capacity, hint: words.capacityHint, value: draft.value('capacity', train?.capacity),
          inputmode: 'numeric', error: this.#error('capacity'),
        })}
        ${field({
          name: 'sales_open_at', label: words.salesOpenAt(zoneHere()), hint: words.salesOpenHint, type: 'datetime-local',
          value: draft.value('sales_open_at', hereOf(train?.sales_open_at)), error: this.#error('sales_open_at'),
        })}
        ${checkbox('on_sale', words.onSale, train?.on_sale ?? true)}
        <stops-editor .stops=${this.stops} .columns=${columns} .errors=${{ ...this.errors, ...this.offsets }} .hint=${words.stopsHint}
          @stops=${(/** @type {CustomEvent<StopDraft[]>} */ event) => { this.stops = event.detail; }}></stops-editor>
        <div class="actions"><button class="primary" aria-busy=${this.busy ? 'true' : 'false'}>
          ${train ? words.save : words.create}</button></div>
      </form>`;
  }
}

customElements.define('train-form', TrainForm);
