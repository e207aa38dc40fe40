import { call } from '../api.js';

/** @import { User } from '../types.js' */

const atOnce = 6;

/** @type {Map<string, User>} */
const people = new Map();

/** A user that was loaded. @param {string} id */
export const personOf = id => people.get(id);

/**
 * Loads users who are not loaded yet, a few at a time.
 * @param {Iterable<string>} ids
 * @param {AbortSignal} signal
 */
export async function loadPeople(ids, signal) {
  const wanted = [...new Set(ids)].filter(id => !people.has(id));
  const next = async () => {
    for (let id = wanted.pop(); id !== undefined; id = wanted.pop()) {
      people.set(id, await call('GET', `/v1/users/${id}`, { signal }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}
