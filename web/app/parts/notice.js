import { html, nothing } from 'lit';
import { texts } from '../texts.js';

/** @import { Problem } from '../problem.js' */

/**
 * What went wrong, read out at once, with a button to try again if that may help.
 * @param {Problem} problem
 * @param {() => void} [retry] not for a form, which shows what is wrong with each field
 */
export function problemNotice(problem, retry) {
  const mayPass = problem.status === 0 || problem.status >= 500;
  return html`
    <div class="notice bad" role="alert">
      <p>${problem.message} ${problem.status === 429 && problem.retryAfter ? texts.retryIn(problem.retryAfter) : nothing}</p>
      ${problem.code === 'too_many_holds' ? html`<p><a href="/holds">${texts.holds}</a></p>` : nothing}
      ${retry && problem.code === 'invalid_request' ? html`<p class="small">${texts.capital(problem.detail)}</p>` : nothing}
      ${retry && problem.status === 404 ? html`<p><a href="/">${texts.search}</a></p>` : nothing}
      ${problem.status === 500 ? html`<p class="small">${texts.requestID} ${problem.requestID}</p>` : nothing}
      ${retry && mayPass ? html`<button type="button" @click=${retry}>${texts.retry}</button>` : nothing}
    </div>`;
}
