import { html, nothing } from 'lit';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { Problem } from '../problem.js';
import { navigate } from '../router.js';
import { View } from '../view.js';
import { noErrors, refusal } from './parts.js';
import { creator } from './save.js';
import { words } from './texts.js';

/** A train or a schedule that an admin creates, changes or deletes. */
export class ResourceView extends View {
  static properties = { saved: { state: true } };

  constructor() {
    super();
    this.saved = false;
    /** Whether what failed was the deletion. */
    this.deleting = false;
    this.create = creator();
  }

  /** The path of the list, in the API below /v1 and on the page below /admin. @returns {string} */
  get list() {
    throw new Error('not overridden');
  }

  get id() {
    return this.route.params.id ?? '';
  }

  get source() {
    return this.id;
  }

  /** The form's errors. */
  get errors() {
    return this.failure?.fields ?? noErrors;
  }

  /** @param {object} body @param {(name: string) => string} notice of a new one */
  save(body, notice) {
    this.saved = this.deleting = false;
    void this.act(async () => {
      if (!this.id) {
        const { id, name } = await this.create(`/v1${this.list}`, body);
        navigate(`/admin${this.list}/${id}`, { replace: true, notice: notice(name) });
        return;
      }
      await call('PUT', `/v1${this.list}/${this.id}`, { body });
      await this.reload({ quiet: true });
      this.saved = true;
      announce(words.saved);
    });
  }

  /** @param {string} query @param {string} name */
  delete(query, name) {
    this.saved = false;
    this.deleting = true;
    void this.act(async () => {
      await call('DELETE', `/v1${this.list}/${this.id}${query}`).catch(error => {
        if (!(error instanceof Problem) || error.status !== 404) throw error; // someone else deleted it, or the first of two requests
      });
      navigate(`/admin${this.list}`, { replace: true, notice: words.deleted(name) });
    });
  }

  /** What became of the form. */
  outcome() {
    return html`
      ${this.saved ? html`<p class="notice good">${words.saved}</p>` : nothing}
      ${this.deleting ? nothing : refusal(this.failure)}`;
  }

  /** Why the deletion was refused. */
  deletionOutcome() {
    return this.deleting ? refusal(this.failure, 'delete_') : nothing;
  }
}
