/**
 * What is entered in the fields of a form. A form is rendered again while the user enters something, and must show
 * that, not what was saved.
 */
export class Draft {
  constructor() {
    /** @type {Map<string, string>} */
    this.entered = new Map();
    /** Listens to the input of a form. @param {Event} event */
    this.input = event => {
      const { name, value } = /** @type {HTMLInputElement} */ (event.target);
      if (name) this.entered.set(name, value);
    };
  }

  /** @param {string} name @param {string | number | undefined} saved */
  value(name, saved) {
    return this.entered.get(name) ?? String(saved ?? '');
  }

  clear() {
    this.entered.clear();
  }
}
