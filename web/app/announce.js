/**
 * What screen readers say. app-shell.js has the element with role=status.
 */
export const announcements = new EventTarget();

/**
 * Screen readers say the text when they are idle. It is not shown.
 * @param {string} text
 */
export function announce(text) {
  announcements.dispatchEvent(new CustomEvent('announce', { detail: text }));
}
