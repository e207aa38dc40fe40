import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { formatMoment } from '../format.js';
import { ask } from '../parts/question.js';
import { navigate, url } from '../router.js';
import { texts } from '../texts.js';
import './delete-box.js';
import { ListView } from './list-view.js';
import { adminNav, refusal, table, tabs } from './parts.js';
import { words } from './texts.js';

/** @import { Booking, User } from '../types.js' */

/** A user, and their bookings: disables, enables and deletes the user. @extends {ListView<Booking>} */
class AdminUserView extends ListView {
  static properties = { user: { state: true }, done: { state: true } };

  constructor() {
    super();
    /** @type {User | undefined} */
    this.user = undefined;
    this.done = '';
  }

  get userPath() {
    return `/v1/users/${this.route.params.id}`;
  }

  get path() {
    return `${this.userPath}/bookings`;
  }

  get state() {
    return this.query('state') === 'cancelled' ? 'cancelled' : 'confirmed';
  }

  get filter() {
    return { state: this.state };
  }

  get empty() {
    return words.noUserBookings;
  }

  get heading() {
    return this.user?.deleted_at ? words.userGone : this.user?.username ?? words.user;
  }

  /** @param {AbortSignal} signal */
  async load(signal) {
    this.user = await call('GET', this.userPath, { signal });
    await super.load(signal);
  }

  /** @param {User} user */
  async #disable({ username, disabled }) {
    if (!disabled && !await ask(words.disableQuestion(username), words.disable, words.keepUser)) return;
    this.done = '';
    await this.act(async () => {
      this.user = await call('PATCH', this.userPath, { body: { disabled: !disabled } });
      this.done = disabled ? words.userEnabled(username) : words.userDisabled(username);
      announce(this.done);
    });
  }

  #delete() {
    const name = this.user?.username ?? '';
    this.done = '';
    void this.act(async () => {
      await call('DELETE', this.userPath);
      navigate('/admin/users', { replace: true, notice: words.deleted(name) });
    });
  }

  /** @param {User} user */
  #account(user) {
    const state = [user.disabled ? words.disabled : words.active, ...(user.is_admin ? [words.admin] : [])];
    return html`
      <section class="card">
        <dl class="facts">
          ${user.deleted_at ? html`<div><dt>${words.deletedAt}</dt><dd>${formatMoment(user.deleted_at)}</dd></div>` : html`
            <div><dt>${words.email}</dt><dd>${user.email}</dd></div>
            <div><dt>${words.state}</dt><dd>${state.join(', ')}</dd></div>`}
          <div><dt>${words.since}</dt><dd>${formatMoment(user.created_at)}</dd></div>
          <div><dt>${words.number}</dt><dd class="id">${user.id}</dd></div>
        </dl>
        ${user.deleted_at ? nothing : html`
          <p class="small">${words.disableHint}</p>
          <div class="actions"><button type="button" aria-busy=${this.busy ? 'true' : 'false'} @click=${() => this.#disable(user)}>
            ${user.disabled ? words.enable : words.disable}</button></div>`}
      </section>`;
  }

  table() {
    const heads = [words.train, words.segment, words.seats, words.bookedAt];
    return table(words.userBookings, heads, this.items.map(({ booking_id, train, from, to, seats, booked_at }) => html`
      <tr>
        <th scope="row"><a href=${`/bookings/${booking_id}`}>${train?.name ?? texts.deletedTrain}</a></th>
        <td class="wide">${from && to ? words.route(from, to) : nothing}</td>
        <td>${seats.map(seat => seat.seat_number).join(', ')}</td>
        <td>${formatMoment(booked_at)}</td>
      </tr>`));
  }

  body() {
    const { user } = this;
    if (!user) return adminNav('/admin/users');
    const at = (/** @type {string} */ state) => url(`/admin/users/${user.id}`, { state });
    const choices = [{ query: '', text: '', question: words.deleteQuestion(user.username) }];
    return html`
      ${adminNav('/admin/users')}
      ${this.done ? html`<p class="notice good">${this.done}</p>` : nothing}
      ${refusal(this.failure)}
      ${this.#account(user)}
      <h2>${words.userBookings}</h2>
      ${tabs(words.state, [
        [at(''), words.confirmedBookings, this.state === 'confirmed'], [at('cancelled'), words.cancelledBookings, this.state === 'cancelled'],
      ])}
      ${this.list()}
      ${user.deleted_at ? nothing : html`
        <delete-box .heading=${words.deleteUser} .hint=${words.deleteUserHint} .choices=${choices} @delete=${this.#delete}></delete-box>`}`;
  }
}

customElements.define('admin-user-view', AdminUserView);
