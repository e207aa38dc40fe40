import { html, nothing } from 'lit';
import { call } from '../api.js';
import { formatMoment } from '../format.js';
import { field, valuesOf } from '../parts/field.js';
import { problemNotice } from '../parts/notice.js';
import { navigate } from '../router.js';
import { session } from '../session.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** The account: who it is, the password, and logging out. */
class AccountView extends View {
  get heading() {
    return texts.accountTitle(session.user?.username ?? '');
  }

  /** @param {SubmitEvent} event */
  #changePassword(event) {
    const body = valuesOf(event);
    void this.act(async () => {
      await call('POST', '/user/change-password/', { body, once: true });
      session.end(); // every refresh token is revoked
      navigate('/login', { replace: true, notice: texts.passwordChanged });
    });
  }

  #logOut() {
    void this.act(async () => {
      await session.logOut();
      navigate('/', { replace: true, notice: texts.loggedOut });
    });
  }

  body() {
    const { user } = session;
    if (!user) return nothing;
    const password = { type: 'password', autocomplete: 'new-password' };
    return html`
      ${this.failure ? problemNotice(this.failure) : nothing}
      <section class="card">
        <dl class="facts">
          <div><dt>${texts.username}</dt><dd>${user.username}</dd></div>
          <div><dt>${texts.email}</dt><dd>${user.email}</dd></div>
          <div><dt>${texts.memberSince}</dt><dd>${formatMoment(user.created_at)}</dd></div>
        </dl>
        <button type="button" @click=${this.#logOut}>${texts.logOut}</button>
      </section>
      <section class="card" aria-labelledby="change-password">
        <h2 id="change-password">${texts.changePassword}</h2>
        <form class="narrow" novalidate @submit=${this.#changePassword}>
          <input class="unseen" name="" autocomplete="username" .value=${user.username} tabindex="-1" aria-hidden="true" readonly>
          ${field({
            name: 'old_password', label: texts.oldPassword, type: 'password', autocomplete: 'current-password',
            error: this.errorOf('old_password'),
          })}
          ${field({
            name: 'password', label: texts.newPassword, hint: texts.passwordHint, error: this.errorOf('password'), ...password,
          })}
          ${field({ name: 'password2', label: texts.repeatNewPassword, error: this.errorOf('password2'), ...password })}
          <button aria-busy=${this.busy ? 'true' : nothing}>${texts.changePassword}</button>
        </form>
      </section>`;
  }
}

customElements.define('account-view', AccountView);
