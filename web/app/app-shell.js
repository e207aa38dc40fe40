import { html, nothing } from 'lit';
import { announcements } from './announce.js';
import { loginURL, navigate, router } from './router.js';
import { missing } from './routes.js';
import { session } from './session.js';
import { texts } from './texts.js';
import { Component, View } from './view.js';

/** @import { ViewRoute } from './routes.js' */

// How long the focus waits for a view that is slow to load.
const patience = 1500;
// How long an announcement stays in the document.
const saidFor = 5000;
const reloaded = 'trainbooking-reloaded';

/** The frame of every view: header, navigation, the view itself, and what screen readers say. */
class AppShell extends Component {
  static properties = { view: { state: true }, failed: { state: true } };

  constructor() {
    super();
    /** @type {View | undefined} */
    this.view = undefined;
    /** Why the view cannot be shown. */
    this.failed = '';
    /** The id of the user who was last logged in. @type {string | undefined} */
    this.user = undefined;
    /** Counts navigations, so that the last one wins. */
    this.turn = 0;
    router.addEventListener('change', () => this.#follow(router.route.cause === 'query'));
    session.addEventListener('change', () => this.#follow(false));
    announcements.addEventListener('announce', event => this.#say(/** @type {CustomEvent<string>} */ (event).detail));
  }

  /** @param {boolean} stays whether only the query of the view has changed */
  async #follow(stays) {
    const turn = ++this.turn;
    const { route } = router;
    this.requestUpdate();
    if (stays && this.view) {
      this.view.route = route; // at once, so that the view can go on with what it has changed
      return;
    }
    const view = await this.#allowed(route.view);
    if (turn !== this.turn) return;
    if (!view) {
      navigate(loginURL(), { replace: true });
      return;
    }
    if (!await this.#loaded(view) || turn !== this.turn) return;
    const { user } = session;
    const sameUser = !this.user || !user || user.id === this.user; // a view may show what is somebody's
    this.user = user?.id ?? this.user;
    if (sameUser && this.view?.localName === view.element && this.view.route.path === route.path) {
      this.view.route = route;
      return;
    }
    this.view = /** @type {View} */ (document.createElement(view.element));
    this.view.route = route;
    if (route.cause !== 'start') await this.#arrive(this.view, turn);
  }

  /** Returns undefined if the user has to log in first. @param {ViewRoute} view */
  async #allowed(view) {
    if (!view.user && !view.admin) return view;
    await session.known;
    if (session.state !== 'in') return undefined;
    return view.admin && !session.user?.is_admin ? missing : view;
  }

  /** Loads the module of a view, which is gone if the service has a new version. @param {ViewRoute} view */
  async #loaded(view) {
    try {
      await view.load();
      sessionStorage.removeItem(reloaded);
      this.failed = '';
      return true;
    } catch (error) {
      console.error(error);
    }
    const reachable = await fetch('/', { method: 'HEAD', cache: 'no-store' }).then(response => response.ok, () => false);
    this.failed = reachable ? texts.reload : texts.problems.network ?? '';
    if (reachable && !sessionStorage.getItem(reloaded)) {
      sessionStorage.setItem(reloaded, '1');
      location.reload();
    }
    return false;
  }

  /** Moves the focus to the heading. After Back, scrolls to where the view was. @param {View} view @param {number} turn */
  async #arrive(view, turn) {
    await this.updateComplete;
    await view.updateComplete;
    await Promise.race([view.ready, new Promise(resolve => { setTimeout(resolve, patience); })]);
    if (turn !== this.turn) return;
    const heading = view.querySelector('h1');
    if (!view.contains(document.activeElement)) heading?.focus({ preventScroll: true });
    if (view.route.notice) this.#say(view.route.notice);
    scrollTo(0, view.route.cause === 'back' ? view.route.scroll : 0);
  }

  /** Each text is a node of its own, so that a repeated text is read out too. @param {string} text */
  #say(text) {
    const said = document.createElement('p');
    said.textContent = text;
    this.querySelector('[role=status]')?.append(said);
    setTimeout(() => said.remove(), saidFor);
  }

  /** @param {MouseEvent} event */
  #skip(event) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (this.querySelector('main h1'))?.focus();
  }

  /** @param {string} href @param {string} text @param {string} [area] what the paths of its views begin with */
  #link(href, text, area = href) {
    const { path } = router.route;
    const current = path === href ? 'page' : area !== '/' && path.startsWith(area) ? 'true' : nothing;
    return html`<li><a href=${href} aria-current=${current}>${text}</a></li>`;
  }

  render() {
    const { user, state } = session;
    return html`
      <a class="skip" href="#main" @click=${this.#skip}>${texts.skip}</a>
      <header>
        <div class="bar">
          <a class="brand" href="/"><span class="logo" aria-hidden="true"></span>${texts.name}</a>
          <nav aria-label=${texts.navigation}>
            <ul>
              ${this.#link('/', texts.search)}
              ${user ? [this.#link('/holds', texts.holds), this.#link('/bookings', texts.bookings)] : nothing}
              ${user?.is_admin ? this.#link('/admin/trains', texts.admin, '/admin/') : nothing}
              ${user ? this.#link('/account', texts.account) : nothing}
              ${state === 'out' ? this.#link('/login', texts.logIn) : nothing}
            </ul>
          </nav>
        </div>
      </header>
      <main id="main">
        ${this.failed ? html`<p class="notice bad" role="alert">${this.failed}</p>` : this.view ?? nothing}
      </main>
      <footer><a href="/docs">${texts.api}</a></footer>
      <div class="unseen" role="status" aria-atomic="false"></div>`;
  }
}

customElements.define('app-shell', AppShell);
