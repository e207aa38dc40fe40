import { texts } from './texts.js';

/** @import { ProblemBody } from './types.js' */

/**
 * What went wrong with a request: an error of the API (docs/API.md, part 3), or `network` if no response came.
 * `code` is stable, `message` is for people.
 */
export class Problem extends Error {
  /**
   * @param {Partial<ProblemBody>} body
   * @param {number} [retryAfter] in seconds
   */
  constructor(body, retryAfter) {
    const code = body.code ?? 'internal';
    super(texts.problems[code] ?? body.error ?? texts.problems.internal);
    this.code = code;
    this.status = body.status ?? 0;
    this.detail = body.detail ?? '';
    this.requestID = body.instance ?? '';
    /** A sentence for each invalid field. @type {Record<string, string>} */
    this.fields = body.fields ?? {};
    /** Seats that could be held instead, the nearest first. @type {number[]} */
    this.alternatives = body.alternatives ?? [];
    /** The seats that are in the way. @type {number[]} */
    this.seats = body.seats ?? [];
    this.available = body.available;
    this.becomesFreeAt = body.becomes_free_at;
    this.salesOpenAt = body.sales_open_at;
    this.outcome = body.outcome;
    this.retryAfter = retryAfter;
  }

  /** No response came, so the request may have been executed. */
  static network() {
    return new Problem({ code: 'network', outcome: 'unknown' });
  }

  /**
   * @param {unknown} error
   * @returns {Problem}
   */
  static from(error) {
    if (error instanceof Problem) return error;
    console.error(error);
    return new Problem({ code: 'internal' });
  }

  /** @param {Response} response */
  static async of(response) {
    const seconds = Number(response.headers.get('Retry-After') ?? NaN);
    const retryAfter = Number.isFinite(seconds) ? seconds : undefined;
    const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json');
    /** @type {Partial<ProblemBody>} */
    const body = isProblem ? await response.json() : fromProxy(response.status);
    return new Problem(body, retryAfter);
  }
}

/**
 * An error that comes from a proxy in front of the service.
 * @param {number} status
 * @returns {Partial<ProblemBody>}
 */
function fromProxy(status) {
  return status >= 502 ? { status, code: 'network', outcome: 'unknown' } : { status, code: 'internal' };
}
