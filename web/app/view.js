import { html, LitElement, nothing } from 'lit';
import { focusInvalid } from './parts/field.js';
import { problemNotice } from './parts/notice.js';
import { Problem } from './problem.js';
import { texts } from './texts.js';

/** @import { PropertyDeclarations } from 'lit' */
/** @import { Route } from './router.js' */

/**
 * A component that renders into the document itself, so that labels, ids and the stylesheet work in it.
 */
export class Component extends LitElement {
  createRenderRoot() {
    return this;
  }
}

/**
 * A page: it has the only h1, which gets the focus when the view opens, and loads what it shows.
 * Subclasses define `heading`, `body`, and if they load something `source` and `load`.
 */
export class View extends Component {
  /** @type {PropertyDeclarations} */
  static properties = {
    route: { attribute: false }, problem: { state: true }, loading: { state: true }, failure: { state: true }, busy: { state: true },
  };

  constructor() {
    super();
    this.route = /** @type {Route} */ ({});
    /** @type {Problem | undefined} */
    this.problem = undefined;
    this.loading = false;
    /** Why the last action failed. @type {Problem | undefined} */
    this.failure = undefined;
    this.busy = false;
    /** Aborted when the view is left or loads something else. */
    this.left = new AbortController();
    /** Resolves when the view shows what it loads. @type {Promise<void>} */
    this.ready = Promise.resolve();
    /** @type {string | undefined} */
    this.loaded = undefined;
  }

  get heading() {
    return '';
  }

  /** The part of the address that selects what to load: the view loads again when it changes. */
  get source() {
    return '';
  }

  /** @param {AbortSignal} _signal @returns {Promise<void>} */
  async load(_signal) {}

  body() {
    return /** @type {unknown} */ (nothing);
  }

  /** What is shown even if nothing could be loaded. */
  foot() {
    return /** @type {unknown} */ (nothing);
  }

  /** @param {string} name of a parameter of the address */
  query(name) {
    return this.route.query.get(name) ?? '';
  }

  /**
   * Loads again.
   * @param {{ quiet?: boolean }} [options] quiet: what is shown stays meanwhile, with the focus
   */
  reload({ quiet = false } = {}) {
    this.left.abort();
    this.left = new AbortController();
    this.loading = !quiet;
    this.problem = undefined;
    this.ready = this.#load(this.left.signal);
    return this.ready;
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    try {
      await this.load(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.problem = Problem.from(error);
    }
    this.loading = false;
    await this.updateComplete;
  }

  /**
   * Runs an action, one at a time, and keeps in `failure` why it failed. Buttons stay enabled, so that they keep
   * the focus.
   * @param {() => Promise<void>} action
   */
  async act(action) {
    if (this.busy) return;
    this.busy = true;
    this.failure = undefined;
    try {
      await action();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return; // the view was left
      this.failure = Problem.from(error);
      await focusInvalid(this);
    } finally {
      this.busy = false;
    }
  }

  /** What is wrong with a field of a form, from the API. @param {string} name */
  errorOf(name) {
    return texts.capital(this.failure?.fields[name] ?? '');
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('route') || this.source === this.loaded) return;
    this.loaded = this.source;
    void this.reload();
  }

  /** @param {Map<PropertyKey, unknown>} _changed */
  updated(_changed) {
    document.title = `${this.heading} – ${texts.name}`;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.left.abort();
  }

  render() {
    return html`
      <h1 tabindex="-1">${this.heading}</h1>
      ${this.route.notice ? html`<p class="notice good">${this.route.notice}</p>` : nothing}
      ${this.problem ? problemNotice(this.problem, () => this.reload()) : nothing}
      ${this.loading ? html`<p class="loading">${texts.loading}</p>` : nothing}
      ${this.loading || this.problem ? nothing : this.body()}
      ${this.foot()}`;
  }
}
