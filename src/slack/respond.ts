/** Answers through a `response_url`: a message to the person who pressed, five times within 30 min (docs.slack.dev). */

import type { Clock } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import { call } from '../receivers/call.js';

/** The card tells the same; nobody waits for this longer. */
const TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 4 * 1024;

/** False when Slack was asked and did not take it. */
export type Respond = (responseUrl: string | null, message: object) => Promise<boolean>;

/**
 * Sends to Slack's own host only: the address comes from outside, and with a stolen secret it could name anything
 * in our network. Never rejects: whatever was done is done, card and thread tell of it.
 */
export function createRespond(deps: {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly logger: Logger;
}): Respond {
  return async (responseUrl, message) => {
    if (responseUrl === null) return true;
    const url = slackUrl(responseUrl);
    if (url === null) {
      deps.logger.warn({}, 'a response_url that is not of Slack was not called');
      return true;
    }
    const outcome = await call({
      fetch: deps.fetch,
      clock: deps.clock,
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      timeoutMs: TIMEOUT_MS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
    if (outcome.kind === 'answer' && outcome.status === 200) return true;
    const detail = outcome.kind === 'failed' ? outcome.detail : `HTTP ${outcome.status}`;
    deps.logger.warn({ detail }, 'a person could not be answered through response_url');
    return false;
  };
}

/** The address, if it is one of hooks.slack.com by https, without port, user or password; else null. */
export function slackUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && url.port === '';
  return url.protocol === 'https:' && url.hostname === 'hooks.slack.com' && plain ? url : null;
}
