import { html, nothing } from 'lit';
import { call } from '../api.js';
import { formatDay, formatNumber, formatShortDay } from '../format.js';
import './delete-box.js';
import './departures.js';
import { adminNav, tabs } from './parts.js';
import { ResourceView } from './resource-view.js';
import './schedule-form.js';
import { words } from './texts.js';

/** @import { Schedule } from '../types.js' */

/** A schedule: its departures, and how to change and delete it; or a new one. */
class AdminScheduleView extends ResourceView {
  static properties = { ...ResourceView.properties, schedule: { state: true } };

  constructor() {
    super();
    /** None: it is new. @type {Schedule | undefined} */
    this.schedule = undefined;
  }

  get list() {
    return '/schedules';
  }

  get heading() {
    return this.schedule?.name ?? (this.id ? words.schedule : words.newSchedule);
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    if (this.id) this.schedule = await call('GET', `/v1/schedules/${this.id}`, { signal });
  }

  #form() {
    return html`
      <schedule-form .schedule=${this.schedule} .errors=${this.errors} ?busy=${this.busy}
        @save=${(/** @type {CustomEvent<object>} */ event) => this.save(event.detail, words.scheduleCreated)}></schedule-form>
      ${this.outcome()}`;
  }

  /** @param {Schedule} schedule */
  #end({ name, departures_with_sales = 0 }) {
    const choices = [
      { query: '', text: words.deleteSafely, question: words.deleteQuestion(name) },
      { query: '?retain=true', text: words.deleteScheduleRetain, question: words.deleteQuestion(name) },
      { query: '?force=true', text: words.deleteScheduleForce(departures_with_sales), question: words.deleteForceQuestion(name) },
    ];
    return html`
      <delete-box .heading=${words.deleteSchedule} .hint=${words.deleteScheduleHint} .choices=${choices}
        @delete=${(/** @type {CustomEvent<string>} */ event) => this.delete(event.detail, name)}></delete-box>
      ${this.deletionOutcome()}`;
  }

  /** @param {Schedule} schedule */
  #facts({ on_sale, next_departure, sold_until, departures_with_sales, diverged, capacity }) {
    const facts = [
      [words.state, on_sale ? words.onSale : words.notOnSale],
      [words.nextDeparture, next_departure ? formatDay(next_departure) : words.none],
      [words.soldUntil, sold_until ? formatDay(sold_until) : words.none],
      [words.withSales, formatNumber(departures_with_sales)],
      [words.diverged, formatNumber(diverged?.count)],
      [words.capacity, formatNumber(capacity)],
    ];
    return html`
      <dl class="figures">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${diverged?.count ? html`<p class="small">${words.divergedHint}
        ${diverged.dates.map(date => `${formatShortDay(date)} ${date.slice(0, 4)}`).join('; ')}
        ${diverged.count > diverged.dates.length ? words.andMore(diverged.count - diverged.dates.length) : nothing}</p>` : nothing}`;
  }

  body() {
    const { id, schedule } = this;
    if (!schedule) return html`${adminNav('/admin/schedules')}${id ? nothing : this.#form()}`;
    const changing = this.query('show') === 'change';
    return html`
      ${adminNav('/admin/schedules')}
      ${this.#facts(schedule)}
      ${tabs(words.show, [
        [`/admin/schedules/${id}`, words.departures, !changing], [`/admin/schedules/${id}?show=change`, words.change, changing],
      ])}
      ${changing ? html`<p class="notice">${words.changeHint}</p> ${this.#form()} ${this.#end(schedule)}`
        : html`<departure-table .schedule=${id} .from=${this.query('day')}></departure-table>`}`;
  }
}

customElements.define('admin-schedule-view', AdminScheduleView);
