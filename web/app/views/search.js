import { html } from 'lit';
import { exchangeBanner } from '../parts/exchange-banner.js';
import '../parts/search-form.js';
import { setQuery } from '../router.js';
import { texts } from '../texts.js';
import { View } from '../view.js';

/** The first page: where from, where to, when. What is entered is in the address. */
class SearchView extends View {
  get heading() {
    return texts.searchTitle;
  }

  body() {
    return html`
      ${exchangeBanner(this.query('exchange'))}
      <search-form .search=${Object.fromEntries(this.route.query)}
        @search=${(/** @type {CustomEvent<Record<string, string>>} */ event) => setQuery(event.detail)}></search-form>`;
  }
}

customElements.define('search-view', SearchView);
