import { html, nothing } from 'lit';
import { formatDuration, formatMoment, formatNumber, formatShortDay, formatTime, segmentOf } from '../format.js';
import { texts } from '../texts.js';

/** @import { Stop, Train } from '../types.js' */

/** The time at which a passenger gets on. @param {Stop} stop */
const departure = stop => stop.departs_at ?? stop.arrives_at;

/** The time at which a passenger gets off. @param {Stop} stop */
const arrival = stop => stop.arrives_at ?? stop.departs_at;

/**
 * The times of a passenger on a train, with how long it takes.
 * @param {Train} train
 * @param {string} [from]
 * @param {string} [to]
 */
export function journey(train, from, to) {
  const segment = segmentOf(train, from, to);
  const departs = departure(segment.from);
  const arrives = arrival(segment.to);
  const nights = departs && arrives && departs.slice(0, 10) !== arrives.slice(0, 10);
  return html`
    <dl class="journey">
      <div><dt>${texts.departs}</dt><dd>
        ${departs ? html`<time datetime=${departs}>${formatTime(departs)}</time>
          <span class="small">${formatShortDay(departs)}</span>` : texts.noTimes}
        <span class="station">${segment.from.station}</span></dd></div>
      <div class="way"><dt>${texts.duration}</dt><dd>
        ${departs && arrives ? formatDuration(departs, arrives) : nothing}
        <span class="small">${segment.between === 0 ? texts.direct : texts.stopsBetween(segment.between)}</span></dd></div>
      <div><dt>${texts.arrives}</dt><dd>
        ${arrives ? html`<time datetime=${arrives}>${formatTime(arrives)}</time>` : nothing}
        ${arrives && nights ? html`<span class="small">${formatShortDay(arrives)}</span>` : nothing}
        <span class="station">${segment.to.station}</span></dd></div>
    </dl>`;
}

/**
 * How many seats are free, and whether that is enough.
 * @param {Train} train
 * @param {number} passengers
 */
function free(train, passengers) {
  if (!train.on_sale) return html`<span class="badge">${texts.notOnSale}</span>`;
  if (train.sales_open_at && Date.parse(train.sales_open_at) > Date.now()) {
    return html`<span class="badge">${texts.salesOpen(formatMoment(train.sales_open_at))}</span>`;
  }
  const available = train.available ?? 0;
  if (available === 0) return html`<span class="badge">${texts.full}</span>`;
  return html`
    <span>${texts.freeSeats(formatNumber(available), formatNumber(train.capacity))}</span>
    ${available < passengers ? html`<span class="badge">${texts.tooFew(passengers)}</span>` : nothing}`;
}

/**
 * A train in a list of results.
 * @param {Train} train
 * @param {string} href of the page on which its seats are chosen
 * @param {{ from: string, to: string, passengers: number }} search
 */
export function trainCard(train, href, search) {
  return html`
    <li class="card train">
      <h2><a href=${href}>${train.name}</a></h2>
      ${journey(train, search.from, search.to)}
      <p class="free">${free(train, search.passengers)}</p>
    </li>`;
}
