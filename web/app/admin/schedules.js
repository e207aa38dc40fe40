import { html } from 'lit';
import { formatNumber, formatShortDay } from '../format.js';
import { ListView } from './list-view.js';
import { adminNav, refusal, table } from './parts.js';
import { words } from './texts.js';

/** @import { Schedule } from '../types.js' */

/** Schedules with their figures. @extends {ListView<Schedule>} */
class AdminSchedulesView extends ListView {
  get heading() {
    return words.schedules;
  }

  get path() {
    return '/v1/schedules';
  }

  get empty() {
    return words.noSchedules;
  }

  table() {
    const heads = [
      words.schedule, words.nextDeparture, words.soldUntil, { figure: words.withSales }, { figure: words.diverged },
      { figure: words.capacity }, words.state,
    ];
    return table(words.schedules, heads, this.items.map(schedule => html`
      <tr>
        <th scope="row">
          <a href=${`/admin/schedules/${schedule.id}`}>${schedule.name}</a>
          <span class="small">${words.route(schedule.stops[0]?.station ?? '', schedule.stops.at(-1)?.station ?? '')}</span>
        </th>
        ${[schedule.next_departure, schedule.sold_until].map(date => html`<td>${date ? formatShortDay(date) : words.none}</td>`)}
        ${[schedule.departures_with_sales, schedule.diverged?.count, schedule.capacity].map(n => html`
          <td class="figure">${formatNumber(n)}</td>`)}
        <td>${schedule.on_sale ? words.onSale : words.notOnSale}</td>
      </tr>`));
  }

  body() {
    return html`
      ${adminNav('/admin/schedules')}
      <p><a class="button" href="/admin/schedules/new">${words.newSchedule}</a></p>
      ${refusal(this.failure)} ${this.list()}`;
  }
}

customElements.define('admin-schedules-view', AdminSchedulesView);
