import { html, nothing } from 'lit';
import { ask } from '../parts/question.js';
import { Component } from '../view.js';
import { words } from './texts.js';

/**
 * A way to delete something: the query for the API, and what it means.
 * @typedef {object} Choice
 * @property {string} query
 * @property {string} text
 * @property {string} question what is asked before
 */

/** Deletes something, after a choice and a question. Fires `delete` with the query as detail. */
class DeleteBox extends Component {
  static properties = { heading: {}, hint: {}, choices: { attribute: false }, chosen: { state: true } };

  constructor() {
    super();
    this.heading = '';
    this.hint = '';
    /** @type {Choice[]} */
    this.choices = [];
    this.chosen = 0;
  }

  async #delete() {
    const choice = this.choices[this.chosen];
    if (!choice || !await ask(choice.question, this.heading, words.keep)) return;
    this.dispatchEvent(new CustomEvent('delete', { detail: choice.query }));
  }

  render() {
    return html`
      <section class="card" aria-labelledby="delete">
        <h2 id="delete">${this.heading}</h2>
        <p>${this.hint}</p>
        ${this.choices.length === 1 ? nothing : html`
          <fieldset class="choices">
            <legend class="small">${words.deleteHow}</legend>
            ${this.choices.map(({ text }, i) => html`
              <label class="check"><input type="radio" name="delete" .checked=${i === this.chosen}
                @change=${() => { this.chosen = i; }}> ${text}</label>`)}
          </fieldset>`}
        <div class="actions"><button type="button" class="danger" @click=${this.#delete}>${this.heading}</button></div>
      </section>`;
  }
}

customElements.define('delete-box', DeleteBox);
