import { call, newKey } from '../api.js';

/** @typedef {(path: string, body: unknown) => Promise<any>} Create */

/**
 * Creates things, each once: the same body has the same Idempotency-Key, and a corrected one another.
 * @returns {Create}
 */
export function creator() {
  let sent = '';
  let key = '';
  return (path, body) => {
    const text = JSON.stringify([path, body]);
    if (text !== sent) [sent, key] = [text, newKey()];
    return call('POST', path, { body, key });
  };
}
