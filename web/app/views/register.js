import { html, nothing } from 'lit';
import { call } from '../api.js';
import { field, valuesOf } from '../parts/field.js';
import { problemNotice } from '../parts/notice.js';
import { navigate, next, url } from '../router.js';
import { session } from '../session.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** Creates an account, and logs in to it. */
class RegisterView extends View {
  get heading() {
    return texts.registerTitle;
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    const values = valuesOf(event);
    void this.act(async () => {
      // It is not repeated by itself: after a success whose response was lost, the name would be taken.
      await call('POST', '/user/register/', { body: values, anonymous: true, once: true });
      await session.logIn(values.username ?? '', values.password ?? '');
      navigate(next(), { replace: true });
    });
  }

  body() {
    const password = { type: 'password', autocomplete: 'new-password' };
    return html`
      <form class="card narrow" novalidate @submit=${this.#submit}>
        ${this.failure ? problemNotice(this.failure) : nothing}
        ${field({ name: 'username', label: texts.username, autocomplete: 'username', error: this.errorOf('username') })}
        ${field({ name: 'email', label: texts.email, type: 'email', autocomplete: 'email', error: this.errorOf('email') })}
        ${field({
          name: 'password', label: texts.password, hint: texts.passwordHint, error: this.errorOf('password'), ...password,
        })}
        ${field({ name: 'password2', label: texts.repeatPassword, error: this.errorOf('password2'), ...password })}
        <button class="primary" aria-busy=${this.busy ? 'true' : nothing}>${texts.register}</button>
        <p>${texts.haveAccount} <a href=${url('/login', { next: this.query('next') })}>${texts.logIn}</a></p>
      </form>`;
  }
}

customElements.define('register-view', RegisterView);
