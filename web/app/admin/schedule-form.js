import { html, nothing } from 'lit';
import { addDays, today } from '../format.js';
import { field, valuesOf } from '../parts/field.js';
import { texts } from '../texts.js';
import { Component } from '../view.js';
import { Draft } from './draft.js';
import './exceptions-editor.js';
import { checkbox, focusFirstError, numberOf } from './parts.js';
import './stops-editor.js';
import { words } from './texts.js';
import { zoneHere } from './times.js';

/** @import { Schedule } from '../types.js' */
/** @import { Exception } from './exceptions-editor.js' */
/** @import { StopDraft } from './stops-editor.js' */

const columns = [
  { name: 'arrives', label: words.arrives, notFirst: true },
  { name: 'departs', label: words.departs, notLast: true },
  { name: 'time_zone', label: words.stopZone, list: 'zones' },
];

/** A stop for the API: the first has no arrival, the last no departure. @type {(stop: StopDraft, i: number, all: StopDraft[]) => StopDraft} */
const stopOf = ({ station = '', arrives, departs, time_zone }, i, all) => ({
  station, ...(i > 0 && arrives ? { arrives } : {}), ...(i < all.length - 1 && departs ? { departs } : {}),
  ...(time_zone ? { time_zone } : {}),
});

/** The form of a schedule. Fires `save` with the body for the API as detail. */
class ScheduleForm extends Component {
  static properties = {
    schedule: { attribute: false }, errors: { attribute: false }, busy: { type: Boolean },
    stops: { state: true }, exceptions: { state: true },
  };

  constructor() {
    super();
    /** The schedule that is changed; none: a new one. @type {Schedule | undefined} */
    this.schedule = undefined;
    /** What is wrong, by the names of the API. @type {Record<string, string>} */
    this.errors = {};
    this.busy = false;
    this.draft = new Draft();
    /** @type {StopDraft[]} */
    this.stops = [{ station: '' }, { station: '' }];
    /** @type {Exception[]} */
    this.exceptions = [];
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('schedule') || !this.schedule) return;
    this.stops = this.schedule.stops.map(stop => ({ ...stop }));
    this.exceptions = this.schedule.exceptions;
    this.draft.clear();
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    if (changed.has('errors')) focusFirstError(this);
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    const { name, capacity, on_sale, time_zone, from, until, sold_days_ahead, ...others } = valuesOf(event);
    const detail = {
      name, capacity: numberOf(capacity), on_sale: on_sale === 'on', time_zone, from, until,
      days: Object.keys(words.weekdays).filter(day => others[day]), sold_days_ahead: numberOf(sold_days_ahead),
      exceptions: this.exceptions, stops: this.stops.map(stopOf),
    };
    this.dispatchEvent(new CustomEvent('save', { detail }));
  }

  /** @param {string} name */
  #error(name) {
    return texts.capital(this.errors[name] ?? '');
  }

  /** @param {string} name @param {string} label @param {string | number | undefined} saved @param {object} [options] */
  #field(name, label, saved, options = {}) {
    return field({ name, label, value: this.draft.value(name, saved), error: this.#error(name), ...options });
  }

  #days() {
    const error = this.errors.days;
    const chosen = this.schedule?.days ?? Object.keys(words.weekdays);
    return html`
      <fieldset id="days">
        <legend>${words.days}</legend>
        ${error ? html`<p class="error">${texts.capital(error)}</p>` : nothing}
        <div class="checks">${Object.entries(words.weekdays).map(([day, name]) => checkbox(day, name, chosen.includes(day)))}</div>
      </fieldset>`;
  }

  render() {
    const { schedule } = this;
    const number = { inputmode: 'numeric' };
    return html`
      <form class="card grid" novalidate @submit=${this.#submit} @input=${this.draft.input}>
        ${this.#field('name', words.name, schedule?.name)}
        ${this.#field('capacity', words.capacity, schedule?.capacity, { hint: words.capacityHint, ...number })}
        ${this.#field('sold_days_ahead', words.soldAhead, schedule?.sold_days_ahead ?? 60, number)}
        ${this.#field('from', words.firstDay, schedule?.from ?? today(), { type: 'date' })}
        ${this.#field('until', words.lastDay, schedule?.until ?? addDays(today(), 365), { type: 'date' })}
        ${this.#field('time_zone', words.timeZone, schedule?.time_zone ?? zoneHere(), { hint: words.timeZoneHint, list: 'zones' })}
        <datalist id="zones">${Intl.supportedValuesOf('timeZone').map(zone => html`<option value=${zone}></option>`)}</datalist>
        ${checkbox('on_sale', words.onSale, schedule?.on_sale ?? true)}
        ${this.#days()}
        <exceptions-editor .exceptions=${this.exceptions} .errors=${this.errors}
          @exceptions=${(/** @type {CustomEvent<Exception[]>} */ event) => { this.exceptions = event.detail; }}></exceptions-editor>
        <stops-editor .stops=${this.stops} .columns=${columns} .errors=${this.errors} .hint=${words.localStopsHint}
          @stops=${(/** @type {CustomEvent<StopDraft[]>} */ event) => { this.stops = event.detail; }}></stops-editor>
        <div class="actions"><button class="primary" aria-busy=${this.busy ? 'true' : 'false'}>
          ${schedule ? words.save : words.create}</button></div>
      </form>`;
  }
}

customElements.define('schedule-form', ScheduleForm);
