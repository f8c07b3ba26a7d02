/** What an umbrella says: how many, where, what most of them share, and who they are. Raw text, possibly hostile. */

import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { placeOf } from '../domain/scope.js';
import type { Severity } from '../domain/severity.js';
import type { UmbrellaMember, UmbrellaView } from '../domain/umbrella.js';

const WORD: Readonly<Record<Severity, string>> = { critical: 'CRIT', warning: 'WARN', info: 'INFO' };

export type UmbrellaWords = {
  /** "9 incidents", "4 criticals". */
  readonly count: string;
  /** "prod-us", or "several places". */
  readonly place: string;
  /** "9 incidents, 7 of them stand, 3 critical: LLMHighTTFT × 5, LLMQueueBuildup × 2". */
  readonly summary: string;
  readonly verdict: { readonly lead: string; readonly says: string; readonly confidence: string };
  /** For the lock screen: "node gpu-17: 7 of 9". */
  readonly short: string;
  /** "INC-408 CRIT LLMHighTTFT llama-70b: KV full 97% on 7 of 8", the most urgent first. */
  readonly members: readonly string[];
  /** Every one that stands, by alert name: "LLMHighTTFT (5)" → "INC-408 to INC-412". */
  readonly groups: readonly { readonly name: string; readonly ids: string }[];
};

export function umbrellaInWords(view: IncidentView, umbrella: UmbrellaView): UmbrellaWords {
  const isOver = view.incident.state === 'resolved';
  const { memberCount, standingCount, criticalCount, shared } = umbrella;
  const all = isOver ? memberCount : standingCount;
  const count =
    view.incident.kind === 'bundle'
      ? many(isOver ? memberCount : criticalCount, 'critical')
      : many(all, 'incident');
  const names = umbrella.groups
    .slice(0, 3)
    .map((one) => (one.count > 1 ? `${one.name} × ${one.count}` : one.name));
  const more = umbrella.groups.length > 3 ? ` and ${umbrella.groups.length - 3} more` : '';
  return {
    count,
    place: placeFor(view, umbrella),
    summary:
      `${many(memberCount, 'incident')}, ${standingCount} of them ${standingCount === 1 ? 'stands' : 'stand'}, ` +
      `${criticalCount} critical${names.length === 0 ? '' : `: ${names.join(', ')}${more}`}`,
    verdict:
      shared === null
        ? {
            lead: 'Cause unclear',
            says: 'nothing was seen that most of them share',
            confidence: `${many(umbrella.groups.length, 'alert name')}`,
          }
        : {
            lead: 'Shared by most',
            says: shared.says,
            confidence: `explains ${shared.count} of ${shared.of}`,
          },
    short: shared === null ? names.join(', ') : `${shared.says}: ${shared.count} of ${shared.of}`,
    members: umbrella.members.map(memberInWords),
    groups: umbrella.groups.map(({ name, count: n, ids }) => ({ name: `${name} (${n})`, ids })),
  };
}

function memberInWords({ id, severity, alertName, scope, short, state }: UmbrellaMember): string {
  const status = state === 'resolved' ? 'OK' : WORD[severity];
  const acked = state === 'acknowledged' ? ' (acked)' : '';
  const place = Object.keys(scope).length === 0 ? '' : ` ${placeOf(scope)}`;
  return `${publicId(id)} ${status}${acked} ${alertName}${place}${short === null ? '' : `: ${short}`}`;
}

function placeFor({ incident }: IncidentView, { members }: UmbrellaView): string {
  if (Object.keys(incident.scope).length > 0) return placeOf(incident.scope);
  const places = new Set(members.map((one) => one.scope.cluster ?? placeOf(one.scope)));
  const [only] = places;
  return places.size === 1 && only !== undefined ? only : 'several places';
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
