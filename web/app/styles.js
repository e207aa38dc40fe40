/**
 * Loads a stylesheet that only some views need. A module waits for it before it defines its element:
 * `await loadStyles(import.meta.resolve('../css/seats.css'))`.
 * @param {string} url
 * @returns {Promise<void>}
 */
export function loadStyles(url) {
  return new Promise((resolve, reject) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = url;
    link.onload = () => resolve();
    link.onerror = () => reject(new Error(`no stylesheet ${url}`));
    document.head.append(link);
  });
}
