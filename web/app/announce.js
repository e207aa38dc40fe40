/**
 * What screen readers say. app-shell.js has the element with role=status.
 */
export const announcements = new EventTarget();

/**
 * Has a text read out when the reader is idle, and does not show it.
 * @param {string} text
 */
export function announce(text) {
  announcements.dispatchEvent(new CustomEvent('announce', { detail: text }));
}
