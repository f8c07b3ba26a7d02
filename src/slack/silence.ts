/**
 * Silencing from Slack. Alertmanager is asked, which may take longer than Slack waits: so the call is answered first,
 * and the person is told afterwards what is quiet until when, or that nothing is.
 */

import { HOUR } from '../domain/clock.js';
import { AppError } from '../domain/errors.js';
import { publicId } from '../domain/incident.js';
import { momentTime } from '../render/duration.js';
import { cut, slackCode, slackText } from '../render/neutralise.js';
import { resultInWords } from './result-in-words.js';
import type { SlackActRequest, SlackDeps } from './slack-deps.js';

export const SILENCE_MS = { silence1h: HOUR, silence4h: 4 * HOUR } as const;

/** Asks for it and says what became of it. Never rejects. */
export async function silence(
  deps: SlackDeps,
  request: SlackActRequest & { readonly forMs: number },
): Promise<string> {
  const { incidentId } = request;
  const nowMs = deps.clock.now();
  try {
    const result = await deps.actions.silence(request);
    if (result.kind === 'replayed') return 'That was asked before.';
    if (result.kind === 'stale') await deps.actions.redraw(incidentId);
    const [first] = result.silences ?? [];
    if (result.kind !== 'changed' || first === undefined)
      return resultInWords('silence', incidentId, result, nowMs);
    const what = (result.silences ?? []).map(({ matchers }) => slackCode(matchers, 500)).join(' and ');
    return `Silenced for ${publicId(incidentId)} until ${momentTime(first.endsAtMs, nowMs)}: ${what}. Other alerts still page.`;
  } catch (error) {
    if (error instanceof AppError) return `Not silenced: ${slackText(cut(error.message, 300))}.`;
    deps.logger.error({ err: error, incidentId }, 'a silence asked for in Slack failed');
    return 'Not silenced: something went wrong inside. The page of the incident can do it, too.';
  }
}
