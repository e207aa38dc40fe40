import { call, keepAccess, refresh, tokens } from './api.js';
import { Problem } from './problem.js';

/** @import { User } from './types.js' */

// The id of the user whose refresh token is in this browser's cookie, which the page cannot read. Without it, no
// request is made that would be refused. Other tabs notice by it who has logged in or out.
const mark = 'trainbooking-signed-in';

/**
 * The user of the page. Fires `change`.
 */
class Session extends EventTarget {
  constructor() {
    super();
    /** `unknown` until the refresh token has been tried. @type {'unknown' | 'out' | 'in'} */
    this.state = 'unknown';
    /** @type {User | undefined} */
    this.user = undefined;
    /** Resolves when the state is known. @type {Promise<void>} */
    this.known = Promise.resolve();
    tokens.addEventListener('signed-out', () => this.end());
    tokens.addEventListener('other-user', () => this.restore());
    addEventListener('storage', event => {
      if (event.key === mark && event.newValue !== this.user?.id) this.restore();
    });
  }

  /** Continues the session of the cookie, if there is one. */
  restore() {
    this.known = localStorage.getItem(mark) ? this.#restore() : Promise.resolve(this.end());
  }

  async #restore() {
    try {
      await refresh();
      await this.#signedIn();
    } catch {
      this.#change('out', undefined); // the mark stays, unless the token was refused: a reload tries again
    }
  }

  /**
   * @param {string} username
   * @param {string} password
   * @throws {Problem}
   */
  async logIn(username, password) {
    const body = { username, password, cookie: true };
    const { token } = await call('POST', '/user/login/', { body, anonymous: true });
    keepAccess(token.access);
    await this.#signedIn();
  }

  /**
   * Revokes the refresh token, and forgets the user unless that fails: the cookie would still be valid.
   * @throws {Problem}
   */
  async logOut() {
    try {
      await call('POST', '/user/logout/', { body: {}, anonymous: true });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
    }
    this.end();
  }

  async #signedIn() {
    const user = await call('GET', '/v1/users/me');
    localStorage.setItem(mark, user.id);
    this.#change('in', user);
  }

  /** Forgets the user. */
  end() {
    keepAccess('');
    localStorage.removeItem(mark);
    this.#change('out', undefined);
  }

  /**
   * @param {'out' | 'in'} state
   * @param {User | undefined} user
   */
  #change(state, user) {
    this.state = state;
    this.user = user;
    this.dispatchEvent(new Event('change'));
  }
}

export const session = new Session();
