import { callService } from './call-service.js';
import { CommandFailure, EXIT } from './exit-codes.js';

type Listed = {
  readonly id: string;
  readonly state: string;
  readonly severity: string;
  readonly alertname: string;
  readonly scope: Readonly<Record<string, string>>;
  readonly verdict: { readonly says: string } | null;
};

/** `wakewell incidents list`: one line an incident, newest first. */
export async function listIncidents(options: {
  readonly state?: string;
  readonly json: boolean;
}): Promise<number> {
  const query = options.state === undefined ? '' : `?state=${encodeURIComponent(options.state)}`;
  const answer = (await callService(`/api/v1/incidents${query}`)) as { readonly data: readonly Listed[] };
  if (options.json) {
    console.log(JSON.stringify(answer));
    return EXIT.fine;
  }
  if (answer.data.length === 0) console.log('No incidents. `wakewell fire LLMHighTTFT` makes one.');
  for (const one of answer.data) {
    console.log(
      `${one.id.padEnd(9)} ${one.state.padEnd(13)} ${one.severity.padEnd(9)} ${printable(`${one.alertname} ${Object.values(one.scope).join('/')}: ${one.verdict?.says ?? 'not diagnosed yet'}`)}`,
    );
  }
  return EXIT.fine;
}

/** `wakewell incidents show 412`. */
export async function showIncident(id: string, options: { readonly json: boolean }): Promise<number> {
  const answer = await callService(`/api/v1/incidents/${encodeURIComponent(id)}`);
  const text =
    typeof answer === 'object' && answer !== null && 'headline' in answer ? answer.headline : undefined;
  if (!options.json && typeof text === 'string') console.log(text);
  else console.log(JSON.stringify(answer, null, options.json ? 0 : 2));
  return EXIT.fine;
}

/** `wakewell incidents ack|resolve 412`. */
export async function changeIncident(
  id: string,
  change: 'acknowledge' | 'resolve',
  options: { readonly comment?: string; readonly json: boolean },
): Promise<number> {
  const actor = process.env.USER ?? 'cli';
  const answer = await callService(`/api/v1/incidents/${encodeURIComponent(id)}/${change}`, {
    method: 'POST',
    body: { actor, ...(options.comment === undefined ? {} : { comment: options.comment }) },
  });
  console.log(
    options.json
      ? JSON.stringify(answer)
      : `${id}: ${change === 'acknowledge' ? 'acknowledged' : 'resolved'}.`,
  );
  return EXIT.fine;
}

/** Labels may hold terminal escapes. */
function printable(text: string): string {
  return text.replace(/\p{C}+/gu, ' ');
}

/** Reads `key=value`. */
export function readPair(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CommandFailure(EXIT.usage, `"${text}" is not name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}
