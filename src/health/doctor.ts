/** One examination of everything that a page depends on: what can be reached, what can be seen, what is blind. */

import type { EngineFile } from '../catalog/engine-file.js';
import type { Clock } from '../domain/clock.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { FindScopes } from '../domain/serving-health.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { findOldNames, type OldNames } from '../prometheus/old-names.js';
import type { PrometheusClient } from '../prometheus/prometheus-client.js';
import { type ExaminedRules, examineRules } from './examine-rules.js';
import { type BlindStep, blindSteps, type ExaminedSignal, examineSignals } from './examine-signals.js';

/** `ok` is null where nothing is configured, or nothing can be tried. */
export type Reached = { readonly name: string; readonly ok: boolean | null; readonly detail: string };

export type DoctorDeps = {
  /** Null without a configured Prometheus. */
  readonly metrics: {
    readonly client: PrometheusClient;
    readonly source: MetricsSource;
    readonly findScopes: FindScopes;
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

export type DoctorReport = {
  readonly atMs: number;
  readonly reached: readonly Reached[];
  readonly scopes: readonly ScopeReport[];
  /** Null where Prometheus was not asked. */
  readonly rules: ExaminedRules | null;
};

/** Never throws for what the outside does. Scopes one after the other: each asks some forty questions. */
export async function examine(deps: DoctorDeps): Promise<DoctorReport> {
  const atMs = deps.clock.now();
  const others = Promise.all(deps.reach.map((one) => one()));
  if (deps.metrics === null) {
    const prometheus = { name: 'prometheus', ok: null, detail: 'not configured: set PROMETHEUS_URL' };
    return { atMs, reached: [prometheus, ...(await others)], scopes: [], rules: null };
  }
  const { client, source, findScopes } = deps.metrics;
  const found = await findScopes({ atMs });
  if (found.kind === 'failed') {
    const prometheus = { name: 'prometheus', ok: false, detail: found.detail };
    return { atMs, reached: [prometheus, ...(await others)], scopes: [], rules: null };
  }
  const rules = examineRules(client, deps.entries, atMs);
  const scopes: ScopeReport[] = [];
  for (const { scope, engines } of found.scopes) {
    const here = deps.engines.filter(({ engine }) => engines.includes(engine));
    const [signals, oldNames] = await Promise.all([
      examineSignals(source, scope, { atMs, engines: deps.engines }),
      findOldNames(client, here, scope, atMs),
    ]);
    scopes.push({
      scope,
      engines,
      missingLabels: deps.scopeLabels.filter((name) => !Object.hasOwn(scope, name)),
      signals: signals.map((one) => named(one, oldNames)),
      blindSteps: blindSteps(deps.entries, signals),
    });
  }
  const probes = deps.engines.filter(({ role }) => role !== 'companion').map(({ probe }) => probe);
  const seen =
    found.scopes.length === 0
      ? `answers, and no engine is scraped there: looked for ${[...new Set(probes)].join(', ')}`
      : 'answers';
  const prometheus = { name: 'prometheus', ok: found.scopes.length > 0, detail: seen };
  return { atMs, reached: [prometheus, ...(await others)], scopes, rules: await rules };
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
    (rules !== null && (rules.kind === 'failed' || rules.dead.length > 0 || rules.failing.length > 0))
  );
}
