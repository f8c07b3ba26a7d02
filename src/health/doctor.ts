/** One examination of everything that a page depends on: what can be reached, what can be seen, what is blind. */

import type { EngineFile } from '../catalog/engine-file.js';
import type { Clock } from '../domain/clock.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import type { ConnectedSource } from '../prometheus/connect-sources.js';
import { findOldNames, type OldNames } from '../prometheus/old-names.js';
import { type ExaminedRules, examineRules } from './examine-rules.js';
import { type BlindStep, blindSteps, type ExaminedSignal, examineSignals } from './examine-signals.js';

/** `ok` is null where nothing is configured, or nothing can be tried. */
export type Reached = { readonly name: string; readonly ok: boolean | null; readonly detail: string };

export type DoctorDeps = {
  /** Null without a configured Prometheus. */
  readonly metrics: {
    readonly source: MetricsSource;
    readonly sources: readonly Pick<ConnectedSource, 'name' | 'client' | 'findScopes' | 'externalLabels'>[];
    /** Which of them a scope chooses. */
    readonly namesFor: (scope: Scope) => readonly string[];
  } | null;
  readonly engines: readonly EngineFile[];
  readonly entries: readonly PlaybookEntry[];
  readonly scopeLabels: readonly string[];
  /** Everything else that is tried: Alertmanager, receivers, database. */
  readonly reach: readonly (() => Promise<Reached>)[];
  readonly clock: Clock;
};

export type ScopeReport = {
  readonly scope: Scope;
  readonly engines: readonly string[];
  /** Scope labels that its series lack: an alert that carries one is about series which nobody finds. */
  readonly missingLabels: readonly string[];
  readonly signals: readonly ExaminedSignal[];
  readonly blindSteps: readonly BlindStep[];
};

/** `source` is null where there is only one. */
export type SourceRules = ExaminedRules & { readonly source: string | null };

export type DoctorReport = {
  readonly atMs: number;
  readonly reached: readonly Reached[];
  readonly scopes: readonly ScopeReport[];
  /** Of each source that answered. */
  readonly rules: readonly SourceRules[];
};

/** Never throws for what the outside does. Scopes one after the other: each asks some forty questions. */
export async function examine(deps: DoctorDeps): Promise<DoctorReport> {
  const atMs = deps.clock.now();
  const others = Promise.all(deps.reach.map((one) => one()));
  if (deps.metrics === null) {
    const prometheus = { name: 'prometheus', ok: null, detail: 'not configured: set PROMETHEUS_URL' };
    return { atMs, reached: [prometheus, ...(await others)], scopes: [], rules: [] };
  }
  const { sources, source, namesFor } = deps.metrics;
  const several = sources.length > 1;
  const looked = await Promise.all(
    sources.map(async (one) => ({ one, found: await one.findScopes({ atMs }) })),
  );
  const rules = Promise.all(
    looked
      .filter(({ found }) => found.kind === 'scopes')
      .map(async ({ one }) => ({
        ...(await examineRules(one.client, deps.entries, atMs)),
        source: several ? one.name : null,
      })),
  );
  const scopes: ScopeReport[] = [];
  const reached: Reached[] = [];
  for (const { one, found } of looked) {
    const name = several ? `prometheus ${one.name}` : 'prometheus';
    if (found.kind === 'failed') {
      reached.push({ name, ok: false, detail: found.detail });
      continue;
    }
    const own = found.scopes.filter(({ scope }) => namesFor(scope).includes(one.name));
    for (const each of own) scopes.push(await scopeReport(deps, source, one, each, atMs));
    reached.push({
      name,
      ok: own.length > 0,
      detail: own.length > 0 ? 'answers' : whyNone(deps.engines, found.scopes.length),
    });
  }
  return { atMs, reached: [...reached, ...(await others)], scopes, rules: await rules };
}

async function scopeReport(
  deps: DoctorDeps,
  source: MetricsSource,
  { client, externalLabels }: Pick<ConnectedSource, 'client' | 'externalLabels'>,
  { scope, engines }: { readonly scope: Scope; readonly engines: readonly string[] },
  atMs: number,
): Promise<ScopeReport> {
  const here = deps.engines.filter(({ engine }) => engines.includes(engine));
  const [signals, oldNames] = await Promise.all([
    examineSignals(source, scope, { atMs, engines: deps.engines }),
    findOldNames(client, here, scope, atMs, Object.keys(externalLabels)),
  ]);
  return {
    scope,
    engines,
    missingLabels: deps.scopeLabels.filter((name) => !Object.hasOwn(scope, name)),
    signals: signals.map((one) => named(one, oldNames)),
    blindSteps: blindSteps(deps.entries, signals),
  };
}

function whyNone(engines: readonly EngineFile[], others: number): string {
  if (others > 0) return 'answers, and serves nothing that its external_labels and match choose it for';
  const probes = engines.filter(({ role }) => role !== 'companion').map(({ probe }) => probe);
  return `answers, and no engine is scraped there: looked for ${[...new Set(probes)].join(', ')}`;
}

/** A value under an old name is one; the next version of the engine takes it away. */
function named(signal: ExaminedSignal, oldNames: OldNames): ExaminedSignal {
  const name = oldNames.get(signal.signal);
  if (name === undefined || signal.state !== 'value') return signal;
  return { ...signal, says: `${signal.says} (old name ${name.old}, now ${name.present})` };
}

/** Whether something was found that a person should mend. What an engine is known not to export is none. */
export function hasFindings({ reached, scopes, rules }: DoctorReport): boolean {
  return (
    reached.some(({ ok }) => ok === false) ||
    scopes.some(
      ({ signals, missingLabels }) =>
        missingLabels.length > 0 || signals.some(({ state }) => state === 'blind'),
    ) ||
    rules.some((one) => one.kind === 'failed' || one.dead.length > 0 || one.failing.length > 0)
  );
}
