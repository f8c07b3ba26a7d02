/** Makes one incident of several: alerts, names, verdict and severity go on in one, the others end and say where. */

import { DROP_WORDS } from '../domain/drop-reasons.js';
import { type Incident, publicId } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import { compareSeverity } from '../domain/severity.js';
import type { Diagnosis } from '../domain/verdict.js';
import { notificationsFor } from '../routing/route-table.js';
import type { Tx } from '../store/database.js';
import type { PageStanding } from '../store/fold-store.js';
import { readIncident } from '../store/incident-history.js';
import { outranks } from './elect-lead.js';
import type { FoldDeps } from './fold-deps.js';
import { settleSureVerdict } from './settle-sure-verdict.js';
import { followUps } from './told-receivers.js';

export type Merge = {
  readonly survivor: Incident;
  readonly folded: readonly Incident[];
  /** Whose diagnosed cause explains the others. */
  readonly cause: Incident;
  readonly pages: readonly PageStanding[];
  readonly nowMs: number;
};

/** Carries out a merge and returns the incident that goes on, as it is now. */
export async function mergeInto(tx: Tx, deps: FoldDeps, merge: Merge): Promise<Incident> {
  const { survivor, cause } = merge;
  const diagnosis = await deps.diagnoses.speakingOf(tx, cause.id, cause.episodeId);
  const because = diagnosis === null ? 'one cause explains both' : `${diagnosis.verdict.says} explains it`;
  for (const one of merge.folded) await endFolded(tx, deps, merge, one, because);

  if (diagnosis !== null && cause.id !== survivor.id) await takeOver(tx, deps, merge, diagnosis);
  await grow(tx, deps, merge);
  await settleSureVerdict(tx, deps, survivor);
  await deps.notifications.enqueue(tx, await pagesAndCards(tx, deps, merge));
  return (await readIncident(tx, survivor.id)) ?? survivor;
}

async function endFolded(
  tx: Tx,
  deps: FoldDeps,
  { survivor, nowMs }: Merge,
  folded: Incident,
  because: string,
): Promise<void> {
  const { id: incidentId, episodeId } = folded;
  const into = publicId(survivor.id);
  await deps.folding.dropWaiting(tx, { incidentId, reason: `${DROP_WORDS.folded} ${into}`, nowMs });
  for (const trigger of ['opened', 'joined', 'asked'] as const) {
    await deps.work.withdrawWork(tx, { incidentId, trigger, reason: `folded into ${into}` });
  }
  const alerts = await deps.folding.moveFiring(tx, { fromId: incidentId, toId: survivor.id });
  await deps.incidents.changeIncident(tx, incidentId, {
    state: 'resolved',
    resolvedAtMs: nowMs,
    resolvedBy: 'wakewell',
    silence: null,
    foldedInto: survivor.id,
  });
  await deps.incidents.changeEpisode(tx, episodeId, { endedAtMs: nowMs });
  const { posted } = await deps.notifications.cardReceivers(tx, incidentId);
  const told = (await deps.notifications.toldReceivers(tx, [incidentId])).filter(
    ({ purpose, receiver }) => purpose !== 'card' || posted.includes(receiver),
  );
  // Its page is closed now and not after the hold: the page of the other one stands.
  await deps.notifications.enqueue(tx, followUps(told, 'resolved', { incidentId, episodeId, nowMs }));
  const many = alerts === 1 ? '1 alert' : `${alerts} alerts`;
  const base = { atMs: nowMs, kind: 'folded', actor: 'wakewell' } as const;
  await deps.timeline.append(tx, [
    { ...base, incidentId, text: `Folded into ${into}: ${because}` },
    {
      ...base,
      incidentId: survivor.id,
      text: `${publicId(incidentId)} folded in (${folded.alertName}, ${many}): ${because}`,
    },
  ]);
}

/** The survivor shows the verdict that made it one with the others, unless its own is as sure. */
async function takeOver(
  tx: Tx,
  deps: FoldDeps,
  { survivor, cause }: Merge,
  diagnosis: Diagnosis,
): Promise<void> {
  const { verdict } = diagnosis;
  await deps.diagnoses.insertDiagnosis(tx, {
    ...diagnosis,
    incidentId: survivor.id,
    episodeId: survivor.episodeId,
    trigger: 'joined',
    verdict: { ...verdict, explains: [...new Set([...verdict.explains, cause.alertName])] },
  });
}

/** Lead and severity of what it is now. */
async function grow(tx: Tx, deps: FoldDeps, merge: Merge): Promise<void> {
  const { survivor, folded, nowMs } = merge;
  let lead = survivor;
  for (const one of folded) {
    const challenger = { name: one.alertName, severity: one.severity };
    if (outranks(challenger, { name: lead.alertName, severity: survivor.severity }, deps.explains))
      lead = one;
  }
  const severest = severestOf(merge);
  const raised = compareSeverity(severest.severity, survivor.severity) > 0;
  await deps.incidents.changeIncident(tx, survivor.id, {
    alertName: lead.alertName,
    alertKey: lead.alertKey,
    severity: severest.severity,
    severityNote: severest.severityNote,
    ...(raised && severest.severity === 'critical' ? NOT_TAKEN : {}),
  });
  if (!raised) return;
  await deps.incidents.changeEpisode(tx, survivor.episodeId, { severity: severest.severity });
  await deps.timeline.append(tx, [
    {
      incidentId: survivor.id,
      atMs: nowMs,
      kind: 'severity_raised',
      text: `Raised from ${survivor.severity} to ${severest.severity} by ${publicId(severest.id)}`,
      actor: 'wakewell',
    },
  ]);
}

/** Who took a warning has not taken a critical. */
const NOT_TAKEN = { state: 'open', acknowledgedAtMs: null, acknowledgedBy: null } as const;

function severestOf({ survivor, folded }: Merge): Incident {
  return folded.reduce(
    (worst, one) => (compareSeverity(one.severity, worst.severity) > 0 ? one : worst),
    survivor,
  );
}

/**
 * Pages where the folded ones had theirs or still waited: one that is stored already is not stored again, so nobody
 * is woken whom the survivor woke. Nobody is, where somebody has the survivor in hand.
 */
async function pagesAndCards(tx: Tx, deps: FoldDeps, merge: Merge): Promise<NewNotification[]> {
  const { survivor, folded, pages, nowMs } = merge;
  const at = { incidentId: survivor.id, episodeId: survivor.episodeId, dueAtMs: nowMs, createdAtMs: nowMs };
  const { posted } = await deps.notifications.cardReceivers(tx, survivor.id);
  const wanted: NewNotification[] = posted.map((receiver) => ({ ...at, receiver, purpose: 'card' }));
  const { severity } = severestOf(merge);
  if (severity !== 'critical') return wanted;
  if (survivor.severity === 'critical' && survivor.state === 'acknowledged') return wanted;

  const alive = pages.filter(({ state }) => state !== 'dropped' && state !== 'dead');
  const receivers = new Set(
    alive.filter(({ incidentId }) => incidentId !== survivor.id).map((page) => page.receiver),
  );
  for (const receiver of receivers) wanted.push({ ...at, receiver, purpose: 'page' });
  if (survivor.severity === severity) return wanted;
  const severest = folded.find((one) => one.severity === severity);
  const labels = {
    ...(severest?.scope ?? survivor.scope),
    alertname: severest?.alertName ?? survivor.alertName,
  };
  for (const { receiver, kind } of deps.route(severity, { ...labels, severity })) {
    for (const purpose of notificationsFor(kind, 'fired', severity)) {
      wanted.push({ ...at, receiver, purpose });
    }
  }
  return wanted;
}
