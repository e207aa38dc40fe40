import { html, nothing } from 'lit';
import { field, valuesOf } from '../parts/field.js';
import { problemNotice } from '../parts/notice.js';
import { navigate, next, url } from '../router.js';
import { session } from '../session.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** Logs in, and goes to `next` in the address. */
class LoginView extends View {
  get heading() {
    return texts.logInTitle;
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    const { username = '', password = '' } = valuesOf(event);
    void this.act(async () => {
      await session.logIn(username, password);
      navigate(next(), { replace: true });
    });
  }

  body() {
    return html`
      <form class="card narrow" novalidate @submit=${this.#submit}>
        ${this.failure ? problemNotice(this.failure) : nothing}
        ${field({ name: 'username', label: texts.username, autocomplete: 'username', error: this.errorOf('username') })}
        ${field({
          name: 'password', label: texts.password, type: 'password', autocomplete: 'current-password',
          error: this.errorOf('password'),
        })}
        <button class="primary" aria-busy=${this.busy ? 'true' : nothing}>${texts.logIn}</button>
        <p>${texts.noAccount} <a href=${url('/register', { next: this.query('next') })}>${texts.register}</a></p>
      </form>`;
  }
}

customElements.define('login-view', LoginView);
