import { correctClock } from './clock.js';
import { Problem } from './problem.js';

/**
 * @typedef {object} Options
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, string | number | undefined>} [query] without those that are empty
 * @property {string} [key] the Idempotency-Key of a POST that creates something
 * @property {AbortSignal} [signal]
 * @property {boolean} [anonymous] sends no access token
 * @property {boolean} [once] is not repeated when it may have been executed
 */

const attempts = 5;

/**
 * Fires `signed-out` when the service no longer accepts the refresh token, and `other-user` when it is that of
 * somebody else, who has logged in in another tab.
 */
export const tokens = new EventTarget();

let access = '';
/** @type {Promise<void> | undefined} */
let refreshing;
let changes = 0; // of the access token

/** Keeps the access token, in memory only. A refresh that is on its way no longer counts. @param {string} token */
export function keepAccess(token) {
  access = token;
  refreshing = undefined;
  changes++;
}

/** The id of the user of an access token. @param {string} token @returns {string | undefined} */
function userOf(token) {
  const claims = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/');
  return claims && JSON.parse(atob(claims)).user_id;
}

/**
 * Gets a new access token for the refresh token, which is in a cookie that this page cannot read. Requests
 * that need one at the same time share it.
 * @returns {Promise<void>}
 */
export function refresh() {
  refreshing ??= renew();
  return refreshing;
}

async function renew() {
  const begun = changes;
  const user = userOf(access);
  try {
    const response = await call('POST', '/user/token/refresh/', { body: {}, anonymous: true });
    if (changes !== begun) return;
    keepAccess(response.access);
    if (user && userOf(access) !== user) tokens.dispatchEvent(new Event('other-user'));
  } catch (error) {
    if (changes === begun) {
      refreshing = undefined;
      if (error instanceof Problem && error.status === 401) {
        keepAccess('');
        tokens.dispatchEvent(new Event('signed-out'));
      }
    }
    throw error;
  }
}

/** A new Idempotency-Key: one for each action of a passenger, not for each request. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), word => word.toString(16).padStart(8, '0')).join('');
}

/**
 * Calls the API and returns the JSON of its response. It gets a new access token once if the one it has is
 * refused, and repeats the request as docs/API.md says: after `not_executed`, and, unless `once`, after an
 * outcome that is unknown. It never repeats the request of one user for another.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export async function call(method, path, options = {}) {
  let renewed = false;
  const user = userOf(access);
  for (let attempt = 1; ; attempt++) {
    const used = options.anonymous ? '' : access;
    const response = await send(method, path, options, used);
    if (response instanceof Response && response.ok) return response.status === 204 ? undefined : response.json();
    const problem = response instanceof Problem ? response : await Problem.of(response);
    if (problem.code === 'unauthenticated' && !options.anonymous && !renewed) {
      renewed = true;
      if (used === access) await refresh();
    } else {
      const again = problem.outcome === 'not_executed' || (problem.outcome === 'unknown' && !options.once);
      if (!again || attempt === attempts) throw problem;
      await pause(problem.retryAfter ?? Math.random() * 2 ** attempt / 4, options.signal);
    }
    if (!options.anonymous && user && userOf(access) !== user) throw problem;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 * @param {string} token
 * @returns {Promise<Response | Problem>}
 */
async function send(method, path, options, token) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (options.key) headers['Idempotency-Key'] = options.key;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  try {
    const response = await fetch(query.size > 0 ? `${path}?${query}` : path, {
      method, headers, body, signal: options.signal, cache: 'no-store', credentials: 'same-origin',
    });
    correctClock(response.headers.get('Date'));
    return response;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof TypeError) return Problem.network();
    throw error;
  }
}

/**
 * @param {number} seconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
