/**
 * A person asks for quiet: a silence is created in Alertmanager, where every other tool sees it, with nothing but
 * what the alerts of the incident have in common. What comes of it is read back like any other silence.
 */

import type { AlertmanagerClient } from '../alertmanager/alertmanager-client.js';
import { createSilence } from '../alertmanager/create-silence.js';
import { DAY, MINUTE } from '../domain/clock.js';
import { AppError } from '../domain/errors.js';
import { type Incident, publicId } from '../domain/incident.js';
import { type Labels, labelValue, type Matcher } from '../domain/labels.js';
import { silenceMatchers } from '../domain/silence-matchers.js';
import { momentTime } from '../render/duration.js';
import { formatMatchers } from '../routing/parse-matchers.js';
import type { Database } from '../store/database.js';
import { createReconcileStore } from '../store/reconcile-store.js';
import { type ActRequest, type ActResult, act, reread, tell } from './act.js';
import { UNREADABLE_ALERT_NAME } from './unreadable-alert.js';

export type SilenceRequest = ActRequest & {
  readonly forMs: number;
  readonly expectedRevision?: number | undefined;
};

export type PlacedSilence = {
  /** Alertmanager's. */
  readonly id: string;
  readonly matchers: string;
  readonly endsAtMs: number;
};

export type SilenceResult = ActResult & { readonly silences?: readonly PlacedSilence[] };

export type SilenceDeps = {
  readonly db: Database;
  readonly clients: readonly AlertmanagerClient[];
  /** The source under which the alerts of these clients arrive. */
  readonly source: string;
  /** In shadow mode nothing is asked of anybody. */
  readonly shadow?: boolean;
  /** Reads back what Alertmanager makes of it. */
  readonly reconcile: () => Promise<void>;
};

export const MIN_SILENCE_MS = MINUTE;
/** Longer than any repair: what is to be quiet for ever is a rule to be changed. */
export const MAX_SILENCE_MS = 30 * DAY;

/** Silences of one incident. More alert names than this are no longer one problem. */
const MAX_SILENCES = 10;

/** They tell that alerting works, or that it does not: without them its failure would be silent. */
const NEVER_SILENCED: ReadonlySet<string> = new Set(['Watchdog', 'WakewellDown', UNREADABLE_ALERT_NAME]);

const store = createReconcileStore();

/** Throws `unavailable` when no peer took it; then nothing is silenced, or what was is said. */
export async function silenceIncident(deps: SilenceDeps, request: SilenceRequest): Promise<SilenceResult> {
  let matcherLists: Matcher[][] = [];
  const asked = await act(deps.db, request, async (tx, incident) => {
    if (request.expectedRevision !== undefined && request.expectedRevision !== incident.revision) {
      return { kind: 'stale', incident };
    }
    const alerts = await store.firingLabels(tx, incident.id);
    const refusal = refusalOf(deps, incident, alerts);
    if (refusal !== null) return { kind: 'illegal', incident, message: refusal };
    matcherLists = silenceMatchers(alerts);
    return { kind: 'changed', incident };
  });
  if (asked.kind !== 'changed') return asked;

  const { incident } = asked;
  const endsAtMs = request.nowMs + request.forMs;
  const comment = request.comment?.trim() ?? '';
  const silences: PlacedSilence[] = [];
  let fault: string | null = null;
  for (const matchers of matcherLists) {
    const created = await createSilence(deps.clients, {
      matchers,
      startsAtMs: request.nowMs,
      endsAtMs,
      createdBy: request.actor,
      comment: `${comment === '' ? 'silenced' : comment} (${publicId(incident.id)})`,
    });
    if (created.kind === 'failed') {
      fault = created.detail;
      break;
    }
    silences.push({ id: created.id, matchers: formatMatchers(matchers), endsAtMs });
  }
  if (silences.length > 0) await note(deps, request, silences);
  if (fault !== null) {
    const done = silences.length === 0 ? '' : ` (${silences.length} of ${matcherLists.length} were placed)`;
    throw new AppError('unavailable', `Alertmanager did not take the silence${done}: ${fault}`);
  }
  await deps.reconcile();
  return { kind: 'changed', incident: await reread(deps.db.kysely, incident), silences };
}

function refusalOf(deps: SilenceDeps, incident: Incident, alerts: readonly Labels[]): string | null {
  const id = publicId(incident.id);
  if (incident.state === 'resolved') return `${id} is resolved: there is nothing to silence`;
  if (incident.kind !== 'problem') return `${id} speaks for others: silence those`;
  if (deps.shadow === true) return 'shadow mode: nothing leaves this process, so silence it in Alertmanager';
  if (deps.clients.length === 0) {
    return 'no Alertmanager is configured: set ALERTMANAGER_URL, or silence it where its alerts come from';
  }
  if (incident.source !== deps.source) {
    return `the alerts of ${id} come from ${incident.source}, not from the configured Alertmanager: silence them there`;
  }
  if (alerts.length === 0) return `no alert of ${id} fires: there is nothing to silence`;
  const names = [...new Set(alerts.map((labels) => labelValue(labels, 'alertname') ?? ''))];
  const vital = names.find((name) => NEVER_SILENCED.has(name));
  if (vital !== undefined) return `${vital} cannot be silenced: it shows whether alerts arrive at all`;
  if (names.includes('')) return `an alert of ${id} has no alertname: a silence of it would be too broad`;
  if (names.length > MAX_SILENCES) {
    return `${id} has ${names.length} different alerts firing: silence them in Alertmanager, by what they share`;
  }
  return null;
}

function note(deps: SilenceDeps, request: SilenceRequest, silences: readonly PlacedSilence[]): Promise<void> {
  const until = momentTime(request.nowMs + request.forMs, request.nowMs);
  const what = silences.map(({ matchers }) => `{${matchers}}`).join(' and ');
  return deps.db.transaction((tx) =>
    tell(tx, request, 'silenced', `Silence asked for until ${until}: ${what}`),
  );
}
