import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';

/** Longest a call to the running service may take. */
const CALL_MS = 10_000;

/** Calls the running service (WAKEWELL_URL, WAKEWELL_API_TOKEN). Its refusals become exit codes with its own words. */
export async function callService(
  path: string,
  init: { readonly method?: string; readonly body?: unknown } = {},
): Promise<unknown> {
  const config = requireConfig();
  const token = config.tokens.api[0]?.token.reveal();
  const response = await fetch(new URL(path, config.apiUrl), {
    method: init.method ?? 'GET',
    headers: {
      accept: 'application/json',
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    signal: AbortSignal.timeout(CALL_MS),
  }).catch(() => {
    throw new CommandFailure(
      EXIT.unreachable,
      `no service answers at ${config.apiUrl}: is \`wakewell serve\` running? (WAKEWELL_URL)`,
    );
  });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer;
  const detail =
    typeof answer === 'object' && answer !== null && 'detail' in answer
      ? String(answer.detail)
      : `HTTP ${response.status}`;
  if (response.status === 404) throw new CommandFailure(EXIT.noSuchThing, detail);
  if (response.status >= 500) throw new CommandFailure(EXIT.unreachable, detail);
  throw new CommandFailure(EXIT.refused, detail);
}
