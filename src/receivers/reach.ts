/** Whether a receiver could be told something, tried without telling it anything. */

import type { ReceiverConfig } from '../config/config.js';
import { SECOND } from '../domain/clock.js';

export type Reach = { readonly ok: boolean | null; readonly detail: string };

const REACH_MS = 5 * SECOND;

/** `ok` is null where nothing can be tried without sending. Never throws; secrets are in no detail. */
export async function reachReceiver(config: ReceiverConfig, fetch: typeof globalThis.fetch): Promise<Reach> {
  switch (config.kind) {
    case 'slack':
      return reachSlack(config, fetch);
    case 'pagerduty':
      return reachAddress(
        config.eventsUrl,
        fetch,
        'answers; whether it takes the key shows at the first page',
      );
    case 'webhook':
      return { ok: null, detail: 'not tried: a call would be taken for an incident' };
    case 'log':
      return { ok: true, detail: 'writes to the log of the service' };
  }
}

async function reachSlack(
  config: Extract<ReceiverConfig, { kind: 'slack' }>,
  fetch: typeof globalThis.fetch,
): Promise<Reach> {
  try {
    const response = await fetch(`${config.apiUrl}auth.test`, {
      method: 'POST',
      headers: { authorization: `Bearer ${config.botToken.reveal()}` },
      redirect: 'error',
      signal: AbortSignal.timeout(REACH_MS),
    });
    const answer = (await response.json()) as {
      ok?: unknown;
      error?: unknown;
      team?: unknown;
      user?: unknown;
    };
    if (answer.ok === true)
      return { ok: true, detail: `signed in as ${word(answer.user)} of ${word(answer.team)}` };
    return { ok: false, detail: `Slack refuses the token: ${word(answer.error)}` };
  } catch (error) {
    return { ok: false, detail: unreachable(config.apiUrl, error) };
  }
}

async function reachAddress(url: string, fetch: typeof globalThis.fetch, says: string): Promise<Reach> {
  try {
    // Any answer will do: an event goes by POST, and this is none.
    await fetch(url, { method: 'GET', redirect: 'manual', signal: AbortSignal.timeout(REACH_MS) });
    return { ok: true, detail: `${new URL(url).host} ${says}` };
  } catch (error) {
    return { ok: false, detail: unreachable(url, error) };
  }
}

function unreachable(url: string, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  const why = error instanceof Error && error.name === 'TimeoutError' ? 'no answer within 5 s' : cause;
  return `${new URL(url).host} cannot be reached: ${why.slice(0, 160)}`;
}

function word(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 60) : 'unknown';
}
