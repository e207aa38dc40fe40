import { html } from 'lit';
import { formatShortDay, formatTime } from '../format.js';
import { field, valuesOf } from '../parts/field.js';
import '../parts/station-field.js';
import { navigate, url } from '../router.js';
import { texts } from '../texts.js';
import { ListView } from './list-view.js';
import { adminNav, checkbox, figureHeads, focusFirstError, figures, refusal, saleState, table } from './parts.js';
import { words } from './texts.js';

/** @import { PropertyDeclarations } from 'lit' */
/** @import { Train } from '../types.js' */

/** When a train leaves its first stop, in local time. @param {Train} train */
function departure(train) {
  const at = train.stops[0]?.departs_at ?? train.stops[0]?.arrives_at;
  return at ? `${formatShortDay(at)}, ${formatTime(at)}` : texts.noTimes;
}

/** Trains with their figures. The filter is in the address. @extends {ListView<Train>} */
class AdminTrainsView extends ListView {
  /** @type {PropertyDeclarations} */
  static properties = { missing: { state: true } };

  constructor() {
    super();
    /** The station that the filter lacks. */
    this.missing = '';
  }

  get heading() {
    return words.trains;
  }

  get path() {
    return '/v1/trains';
  }

  get filter() {
    const filter = Object.fromEntries(['from', 'to', 'date', 'departed'].map(name => [name, this.query(name)]));
    return filter.from && filter.to ? filter : { departed: filter.departed };
  }

  get empty() {
    return words.noTrains;
  }

  /** @param {SubmitEvent} event */
  #filter(event) {
    const { departed, ...values } = valuesOf(event);
    this.missing = !values.to && (values.from || values.date) ? 'to' : '';
    if (!values.from && (values.to || values.date)) this.missing = 'from';
    if (this.missing) {
      focusFirstError(this);
      return;
    }
    navigate(url('/admin/trains', { ...values, departed: departed ? 'true' : '' }));
  }

  /** @param {string} name */
  #error(name) {
    return this.missing === name ? texts.chooseStation : '';
  }

  table() {
    return table(words.trains, [words.train, ...figureHeads, words.state], this.items.map(train => html`
      <tr>
        <th scope="row">
          <a href=${`/admin/trains/${train.id}`}>${train.name}</a>
          <span class="small">${words.route(train.stops[0]?.station ?? '', train.stops.at(-1)?.station ?? '')}</span>
          <span class="small">${departure(train)}</span>
        </th>
        ${figures(train)}
        <td>${saleState(train)}</td>
      </tr>`));
  }

  body() {
    const { from, to, date } = Object.fromEntries(this.route.query);
    return html`
      ${adminNav('/admin/trains')}
      <p><a class="button" href="/admin/trains/new">${words.newTrain}</a></p>
      <details class="filter" ?open=${Boolean(from || to || date)}>
        <summary>${words.filter}</summary>
        <form class="card grid" novalidate @submit=${this.#filter}>
          <station-field name="from" label=${texts.from} .value=${from ?? ''} .error=${this.#error('from')}></station-field>
          <station-field name="to" label=${texts.to} .value=${to ?? ''} .error=${this.#error('to')}></station-field>
          ${field({ name: 'date', label: texts.date, type: 'date', value: date })}
          ${checkbox('departed', words.withDeparted, this.query('departed') === 'true')}
          <p class="small">${words.filterHint}</p>
          <button>${words.applyFilter}</button>
        </form>
      </details>
      ${refusal(this.failure)} ${this.list()}`;
  }
}

customElements.define('admin-trains-view', AdminTrainsView);
