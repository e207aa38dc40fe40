import { html, nothing } from 'lit';
import { call } from '../api.js';
import { formatDay, formatNumber } from '../format.js';
import { Problem } from '../problem.js';
import { url } from '../router.js';
import './delete-box.js';
import { adminNav, saleState, tabs } from './parts.js';
import { ResourceView } from './resource-view.js';
import './seat-table.js';
import { words } from './texts.js';
import './train-form.js';

/** @import { Train } from '../types.js' */

/** A train: who sits where, and how to change and delete it; or a new one. */
class AdminTrainView extends ResourceView {
  static properties = { ...ResourceView.properties, train: { state: true } };

  constructor() {
    super();
    /** None: it is new, or gone. @type {Train | undefined} */
    this.train = undefined;
  }

  get list() {
    return '/trains';
  }

  get heading() {
    return this.train?.name ?? (this.id ? this.loading ? words.train : words.trainGone : words.newTrain);
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    if (!this.id) return;
    this.train = await call('GET', `/v1/trains/${this.id}`, { signal }).catch(error => {
      if (error instanceof Problem && error.status === 404) return undefined;
      throw error;
    });
  }

  #form() {
    return html`
      <train-form .train=${this.train} .errors=${this.errors} ?busy=${this.busy}
        @save=${(/** @type {CustomEvent<object>} */ event) => this.save(event.detail, words.trainCreated)}></train-form>
      ${this.outcome()}`;
  }

  /** @param {Train} train */
  #end({ name, booked = 0 }) {
    const choices = [
      { query: '', text: words.deleteSafely, question: words.deleteQuestion(name) },
      { query: '?force=true', text: words.deleteForce(booked), question: words.deleteForceQuestion(name) },
    ];
    return html`
      <delete-box .heading=${words.deleteTrain} .hint=${words.deleteTrainHint} .choices=${choices} @delete=${(/** @type {CustomEvent<string>} */ event) => this.delete(event.detail, name)}></delete-box>
      ${this.deletionOutcome()}`;
  }

  /** @param {Train} train */
  #facts(train) {
    /** @type {[string, unknown][]} */
    const facts = [
      [words.state, saleState(train)],
      ...(train.service_date ? /** @type {[string, unknown][]} */ ([[words.date, formatDay(train.service_date)]]) : []),
      [words.booked, formatNumber(train.booked)], [words.held, formatNumber(train.held)],
      [words.free, formatNumber(train.available)], [words.capacity, formatNumber(train.capacity)],
    ];
    return html`
      <dl class="figures">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      <p class="links">
        <a href=${`/trains/${train.id}`}>${words.toSeats}</a>
        ${train.schedule_id ? html`<a href=${`/admin/schedules/${train.schedule_id}`}>${words.toSchedule}</a>` : nothing}
      </p>`;
  }

  #seats() {
    const state = this.query('state') === 'cancelled' ? 'cancelled' : 'confirmed';
    const at = (/** @type {string} */ of) => url(`/admin/trains/${this.id}`, { state: of });
    return html`
      ${tabs(words.state, [
        [at(''), words.confirmedBookings, state === 'confirmed'], [at('cancelled'), words.cancelledBookings, state === 'cancelled'],
      ])}
      <seat-table .train=${this.id} .state=${state}></seat-table>`;
  }

  body() {
    const { id, train } = this;
    if (!id) return html`${adminNav('/admin/trains')}${this.#form()}`;
    if (!train) return html`${adminNav('/admin/trains')}<p class="notice">${words.trainGoneHint}</p>${this.#seats()}`;
    const changing = this.query('show') === 'change';
    return html`
      ${adminNav('/admin/trains')}
      ${this.#facts(train)}
      ${tabs(words.show, [
        [`/admin/trains/${id}`, words.whoSits, !changing], [`/admin/trains/${id}?show=change`, words.change, changing],
      ])}
      ${changing ? html`
        ${train.schedule_id ? html`<p class="notice">${words.departureOf}</p>` : nothing}
        ${this.#form()} ${this.#end(train)}` : this.#seats()}`;
  }
}

customElements.define('admin-train-view', AdminTrainView);
