/** `wakewell check --online`: whether each step of each entry returns data for what is served now. */

import { systemClock } from '../app.js';
import type { EngineFile } from '../catalog/engine-file.js';
import type { Config } from '../config/config.js';
import { placeOf, type Scope } from '../domain/scope.js';
import { type ExaminedStep, examineSteps } from '../health/examine-steps.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { clean } from '../render/neutralise.js';
import { connectPrometheus } from './connect-prometheus.js';

export type OnlineScope = {
  readonly scope: Scope;
  readonly engines: readonly string[];
  readonly steps: readonly ExaminedStep[];
};

export type Online = {
  /** Null when Prometheus answered. */
  readonly unreachable: string | null;
  readonly scopes: readonly OnlineScope[];
  /** Steps that should see something and do not, queries that a Prometheus refuses, sources that do not answer. */
  readonly faults: readonly string[];
};

/** Asks every configured Prometheus. Throws a usage failure where none is. */
export async function checkOnline(
  config: Config,
  engines: readonly EngineFile[],
  entries: readonly PlaybookEntry[],
): Promise<Online> {
  const connected = connectPrometheus(config, engines);
  try {
    const atMs = systemClock.now();
    const found = await connected.findScopes({ atMs });
    if (found.kind === 'failed') return { unreachable: found.detail, scopes: [], faults: [found.detail] };
    const scopes: OnlineScope[] = [];
    for (const { scope, engines: here } of found.scopes) {
      const steps = await examineSteps(connected.sourceFor(scope), scope, { entries, engines, atMs });
      scopes.push({ scope, engines: here, steps });
    }
    const nobody = scopes.length === 0 ? ['no engine is scraped: no step could be tried'] : [];
    return {
      unreachable: null,
      scopes,
      faults: [...nobody, ...(found.unseen ?? []), ...scopes.flatMap(blindOf)],
    };
  } finally {
    await connected.close();
  }
}

/** A line a scope, then what is missing in it, equal reasons together. */
export function onlineLines({ scopes }: Online): string[] {
  return scopes.flatMap(({ scope, engines, steps }) => {
    const seen = steps.filter(({ state }) => state === 'data').length;
    return [
      `${clean(placeOf(scope))} (${engines.join(', ')}): ${seen} of ${steps.length} steps return data`,
      ...grouped(steps, 'blind').map((line) => `  ✗ ${line}`),
      ...grouped(steps, 'none').map((line) => `  · ${line}`),
    ];
  });
}

function blindOf({ scope, steps }: OnlineScope): string[] {
  return grouped(steps, 'blind').map((line) => `${clean(placeOf(scope))}: ${line}`);
}

/** `Free KV blocks (high-ttft, default): why`. */
function grouped(steps: readonly ExaminedStep[], state: ExaminedStep['state']): string[] {
  const groups = new Map<string, { step: string; why: string; entries: string[] }>();
  for (const { step, entry, why } of steps.filter((one) => one.state === state)) {
    const key = JSON.stringify([step, why]);
    const group = groups.get(key) ?? { step, why: why ?? '', entries: [] };
    group.entries.push(entry);
    groups.set(key, group);
  }
  return [...groups.values()].map(
    ({ step, why, entries }) => `${clean(step)} (${clean(entries.join(', '))}): ${clean(why)}`,
  );
}
