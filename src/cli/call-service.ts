/** Calls of the running service, with its refusals as exit codes and its own words. */

import type { Config } from '../config/config.js';
import { CLI_USER_AGENT } from '../http/cli-user-agent.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';

/** Longest a call to the running service may take. */
const CALL_MS = 10_000;

/** Calls the API (WAKEWELL_URL, WAKEWELL_API_TOKEN). The timeline shows the user of this machine. */
export async function callService(
  path: string,
  init: { readonly method?: string; readonly body?: unknown } = {},
): Promise<unknown> {
  const config = requireConfig();
  const response = await send(config, path, config.tokens.api[0]?.token.reveal(), init);
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw refusal(config, response, answer);
}

/** Reads a file from the API. */
export async function downloadService(path: string): Promise<Uint8Array> {
  const config = requireConfig();
  const response = await send(config, path, config.tokens.api[0]?.token.reveal(), {});
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  throw refusal(config, response, await response.json().catch(() => null));
}

function refusal(config: Config, response: Response, answer: unknown): CommandFailure {
  const detail =
    typeof answer === 'object' && answer !== null && 'detail' in answer
      ? String(answer.detail)
      : `${config.apiUrl} answered HTTP ${response.status}`;
  if (response.status === 404) return new CommandFailure(EXIT.noSuchThing, detail);
  if (response.status === 400 || response.status === 401) return new CommandFailure(EXIT.usage, detail);
  if (response.status >= 500) return new CommandFailure(EXIT.unreachable, detail);
  return new CommandFailure(EXIT.refused, detail);
}

/** Posts to the webhook (WAKEWELL_WEBHOOK_TOKEN), as Alertmanager would. */
export async function callWebhook(body: unknown): Promise<unknown> {
  const config = requireConfig();
  const token = config.tokens.webhook[0]?.token.reveal();
  const response = await send(config, '/api/v1/alertmanager', token, { method: 'POST', body });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer;
  if (response.status === 401) {
    throw new CommandFailure(EXIT.usage, 'the webhook wants another token: set WAKEWELL_WEBHOOK_TOKEN');
  }
  throw new CommandFailure(
    response.status >= 500 ? EXIT.unreachable : EXIT.refused,
    `the webhook answered HTTP ${response.status}`,
  );
}

async function send(
  config: Config,
  path: string,
  token: string | undefined,
  init: { readonly method?: string; readonly body?: unknown },
): Promise<Response> {
  const user = (process.env.USER ?? process.env.LOGNAME ?? '').replace(/[^\x20-\x7e]/g, '');
  try {
    return await fetch(`${config.apiUrl}${path}`, {
      method: init.method ?? 'GET',
      headers: {
        accept: 'application/json',
        'user-agent': CLI_USER_AGENT,
        ...(user === '' ? {} : { 'x-actor': user }),
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      signal: AbortSignal.timeout(CALL_MS),
    });
  } catch {
    throw new CommandFailure(
      EXIT.unreachable,
      `no service answers at ${config.apiUrl}: is \`wakewell serve\` running? (WAKEWELL_URL)`,
    );
  }
}
