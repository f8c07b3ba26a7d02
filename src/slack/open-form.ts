/** Opens forms at people's screens. */

import type { Clock } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import { createSlackCalls } from '../receivers/slack-calls.js';
import { slackFailure } from '../receivers/slack-outcome.js';
import type { SlackDeps } from './slack-deps.js';

/** Never rejects; a form that could not be opened is said to the person, who can type a command instead. */
export function createOpenForm(deps: {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly logger: Logger;
}): SlackDeps['openForm'] {
  return async ({ botToken, apiUrl }, triggerId, form) => {
    const config = { name: 'form', botToken, channel: '', apiUrl };
    try {
      await createSlackCalls(config, deps, new AbortController().signal).openForm(triggerId, form);
      return true;
    } catch (error) {
      const { outcome } = slackFailure(error, { attempts: 1, token: botToken, nowMs: deps.clock.now() });
      deps.logger.warn({ detail: outcome.detail }, 'a form could not be opened in Slack');
      return false;
    }
  };
}
