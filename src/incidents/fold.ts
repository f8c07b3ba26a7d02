/**
 * Folding after a diagnosis: an incident whose cause explains another one of a compatible place is one problem with
 * it, and one of the two goes on. Who was woken for the other is not woken again, and nothing he was woken for is
 * closed at his pager while it burns.
 */

import type { Incident } from '../domain/incident.js';
import { compatibleScopes } from '../domain/scope.js';
import { compareSeverity } from '../domain/severity.js';
import { clusterOf } from '../domain/storm.js';
import { contradicts } from '../domain/sure-verdict.js';
import type { Tx } from '../store/database.js';
import type { PageStanding } from '../store/fold-store.js';
import type { FoldDeps } from './fold-deps.js';
import { mergeInto } from './merge-incidents.js';

/** More unresolved incidents near one are a storm, whose umbrella speaks for them. */
const MAX_NEAR = 200;

/**
 * Folds what belongs together now that `incident` was diagnosed. Returns the incident that goes on: `incident` itself
 * where nothing was folded. Its notifications are stored, due at once.
 */
export async function foldByVerdict(
  tx: Tx,
  deps: FoldDeps,
  incident: Incident,
  nowMs: number,
): Promise<Incident> {
  const near = await unresolvedNear(tx, deps, incident);
  const names = await deps.folding.firingNames(tx, [incident.id, ...near.map((one) => one.id)]);
  const explained = (by: Incident, other: Incident) => isExplained(by, other, names.get(other.id) ?? []);

  let cause = incident;
  let group = near.filter((other) => explained(incident, other));
  if (group.length === 0) {
    // Or it is explained itself, by one that was diagnosed before.
    const causes = near.filter((other) => explained(other, incident));
    const [only] = causes;
    if (only === undefined || causes.length > 1) return incident;
    cause = only;
    group = [incident];
  }
  // A cause that is seen everywhere does not make two places one.
  if (!agree([cause, ...group])) return incident;

  const all = [cause, ...group];
  const pages = await deps.folding.pagesOf(
    tx,
    all.map((one) => one.id),
  );
  const [survivor, ...folded] = all.sort((a, b) => standing(b, pages) - standing(a, pages) || a.id - b.id);
  if (survivor === undefined) return incident;
  return mergeInto(tx, deps, { survivor, folded, cause, pages, nowMs });
}

async function unresolvedNear(tx: Tx, deps: FoldDeps, incident: Incident): Promise<Incident[]> {
  const own = clusterOf(incident.scope, incident.source);
  const anywhere = clusterOf({}, incident.source);
  const near = await deps.folding.standingNear(tx, {
    incident,
    // Without a cluster it may be in any.
    clusters: own === anywhere ? null : [own, anywhere],
    limit: MAX_NEAR,
  });
  return (near ?? []).filter(
    (other) => !other.flags.silenced && compatibleScopes(incident.scope, other.scope),
  );
}

/** Whether all that fires in an incident is explained by the cause of another, and nothing surer says otherwise. */
function isExplained(by: Incident, other: Incident, firing: readonly string[]): boolean {
  const verdict = by.sureVerdict;
  if (verdict === null || firing.length === 0 || contradicts(verdict, other.sureVerdict)) return false;
  return firing.every((name) => verdict.explains.includes(name));
}

function agree(incidents: readonly Incident[]): boolean {
  return incidents.every((a, index) =>
    incidents.slice(index + 1).every((b) => compatibleScopes(a.scope, b.scope)),
  );
}

/** Who goes on: the one whose page stands, then the one that somebody took, then the more severe, then the older. */
function standing(incident: Incident, pages: readonly PageStanding[]): number {
  const own = pages.filter((page) => page.incidentId === incident.id);
  const woken = own.some(({ state }) => state === 'sent' || state === 'sending');
  const waiting = own.some(({ state }) => state === 'queued' || state === 'withheld');
  const taken = incident.state === 'acknowledged';
  return (woken ? 100 : waiting ? 50 : 0) + (taken ? 10 : 0) + compareSeverity(incident.severity, 'info');
}
