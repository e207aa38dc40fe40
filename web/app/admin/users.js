import { html } from 'lit';
import { formatMoment } from '../format.js';
import { ListView } from './list-view.js';
import { adminNav, refusal, table } from './parts.js';
import { words } from './texts.js';

/** @import { User } from '../types.js' */

/** The users. @extends {ListView<User>} */
class AdminUsersView extends ListView {
  get heading() {
    return words.users;
  }

  get path() {
    return '/v1/users';
  }

  table() {
    return table(words.users, [words.user, words.email, words.since, words.state], this.items.map(user => html`
      <tr>
        <th scope="row"><a href=${`/admin/users/${user.id}`}>${user.username}</a></th>
        <td class="wide">${user.email}</td>
        <td>${formatMoment(user.created_at)}</td>
        <td>${user.is_admin ? html`<span class="badge">${words.admin}</span> ` : ''}${user.disabled ? words.disabled : words.active}</td>
      </tr>`));
  }

  body() {
    return html`${adminNav('/admin/users')} ${refusal(this.failure)} ${this.list()}`;
  }
}

customElements.define('admin-users-view', AdminUsersView);
