import { match, missing } from './routes.js';

/** @import { ViewRoute } from './routes.js' */

/**
 * Where the passenger is.
 * @typedef {object} Route
 * @property {string} path
 * @property {ViewRoute} view
 * @property {Record<string, string>} params
 * @property {URLSearchParams} query
 * @property {string} [notice] a message of the view before, such as "Seat 5 is booked"
 * @property {'start' | 'push' | 'replace' | 'back' | 'query'} cause `back` also means forward; `query` stays in the view
 * @property {number} scroll where it was scrolled to
 */

/** Fires `change` when the address changed. `route` is where the passenger is. */
class Router extends EventTarget {
  constructor() {
    super();
    /** @type {Route} */
    this.route = read('start');
  }

  /** @param {Route['cause']} cause */
  update(cause) {
    this.route = read(cause);
    this.dispatchEvent(new Event('change'));
  }
}

/** @param {Route['cause']} cause @returns {Route} */
function read(cause) {
  const { pathname, search } = location;
  const { view, params } = match(pathname) ?? { view: missing, params: {} };
  const { notice, scroll = 0 } = history.state ?? {};
  const shown = cause === 'back' || cause === 'start' ? undefined : notice; // it was said before
  return { path: pathname, view, params, query: new URLSearchParams(search), notice: shown, cause, scroll };
}

export const router = new Router();

/** Follows links and the Back button from now on. */
export function start() {
  history.scrollRestoration = 'manual';
  addEventListener('popstate', () => router.update('back'));
  addEventListener('scrollend', keepScroll);
  document.addEventListener('click', followLink);
  router.update('start');
}

function keepScroll() {
  history.replaceState({ ...history.state, scroll: scrollY }, '');
}

/**
 * Goes to another view.
 * @param {string} url
 * @param {{ replace?: boolean, notice?: string }} [options] replace: Back does not return to the current view
 */
export function navigate(url, { replace = false, notice } = {}) {
  if (replace) {
    history.replaceState({ notice }, '', url);
  } else {
    keepScroll();
    history.pushState({ notice }, '', url);
  }
  router.update(replace ? 'replace' : 'push');
}

/**
 * Changes the query of the address, so that a reload loses nothing. The view stays, and so does the focus.
 * @param {Record<string, string>} changes an empty value removes the parameter
 */
export function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(history.state, '', url(location.pathname, query));
  router.update('query');
}

/**
 * @param {string} path
 * @param {URLSearchParams | Record<string, string | number | undefined>} query empty values are left out
 */
export function url(path, query) {
  const given = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const used = new URLSearchParams();
  for (const [name, value] of given) {
    if (value !== undefined && value !== '') used.set(name, String(value));
  }
  const text = used.toString().replaceAll('%2C', ',');
  return text ? `${path}?${text}` : path;
}

/** Where to go after logging in: a path of this page, never another site. */
export function next() {
  const wanted = new URLSearchParams(location.search).get('next') ?? '/';
  try {
    const { origin, pathname, search } = new URL(wanted, location.origin);
    // A path that begins with // would be another site.
    if (origin === location.origin && wanted.startsWith('/')) return pathname.replace(/^\/+/, '/') + search;
  } catch {
    // It is not an address.
  }
  return '/';
}

/** The address of the login view, which returns to the current address. */
export function loginURL() {
  return url('/login', { next: location.pathname + location.search });
}

/** @param {MouseEvent} event */
function followLink(event) {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.target) return;
  if (link.origin !== location.origin || link.hash || !match(link.pathname)) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}
