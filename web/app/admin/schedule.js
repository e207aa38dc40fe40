import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { formatDay, formatNumber, formatShortDay } from '../format.js';
import { Problem } from '../problem.js';
import { navigate } from '../router.js';
import { View } from '../view.js';
import './delete-box.js';
import './departures.js';
import { adminNav, noErrors, refusal, tabs } from './parts.js';
import { creator } from './save.js';
import './schedule-form.js';
import { words } from './texts.js';

/** @import { Schedule } from '../types.js' */

/** A schedule: its departures, and how to change and delete it; or a new one. */
class AdminScheduleView extends View {
  static properties = { schedule: { state: true }, saved: { state: true } };

  constructor() {
    super();
    /** None: it is new. @type {Schedule | undefined} */
    this.schedule = undefined;
    this.saved = false;
    /** Whether what failed was the deletion. */
    this.deleting = false;
    this.create = creator();
  }

  get id() {
    return this.route.params.id ?? '';
  }

  get source() {
    return this.id;
  }

  get heading() {
    return this.schedule?.name ?? (this.id ? words.schedule : words.newSchedule);
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    if (this.id) this.schedule = await call('GET', `/v1/schedules/${this.id}`, { signal });
  }

  /** @param {CustomEvent<{ name: string }>} event */
  #save({ detail: body }) {
    this.saved = this.deleting = false;
    void this.act(async () => {
      if (!this.id) {
        const { id, name } = await this.create('/v1/schedules', body);
        navigate(`/admin/schedules/${id}`, { replace: true, notice: words.scheduleCreated(name) });
        return;
      }
      await call('PUT', `/v1/schedules/${this.id}`, { body });
      await this.reload({ quiet: true });
      this.saved = true;
      announce(words.saved);
    });
  }

  /** @param {CustomEvent<string>} event */
  #delete({ detail: query }) {
    this.saved = false;
    this.deleting = true;
    void this.act(async () => {
      await call('DELETE', `/v1/schedules/${this.id}${query}`).catch(error => {
        if (!(error instanceof Problem) || error.status !== 404) throw error; // someone else deleted it, or the first of two requests
      });
      navigate('/admin/schedules', { replace: true, notice: words.deleted(this.schedule?.name ?? '') });
    });
  }

  #form() {
    return html`
      <schedule-form .schedule=${this.schedule} .errors=${this.failure?.fields ?? noErrors} ?busy=${this.busy}
        @save=${this.#save}></schedule-form>
      ${this.saved ? html`<p class="notice good">${words.saved}</p>` : nothing}
      ${this.deleting ? nothing : refusal(this.failure)}`;
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
        @delete=${this.#delete}></delete-box>
      ${this.deleting ? refusal(this.failure, 'delete_') : nothing}`;
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
