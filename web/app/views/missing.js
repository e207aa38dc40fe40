import { html } from 'lit';
import { session } from '../session.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** Shown where there is no page, and to users who may not see it. */
class MissingView extends View {
  get heading() {
    return texts.missing;
  }

  body() {
    const admin = this.route.view.admin && !session.user?.is_admin;
    return html`
      <p>${admin ? texts.adminOnly : texts.missingHint}</p>
      <p><a href="/">${texts.search}</a></p>`;
  }
}

customElements.define('missing-view', MissingView);
