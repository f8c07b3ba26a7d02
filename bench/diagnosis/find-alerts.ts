/**
 * When each generated alert fires in a database that nobody evaluates rules on: every expression stepped over time as
 * the rule group would, then held for its `for`. Recorded series are put in where they are named: a group records right
 * before its alerts look. A test compares it with `promtool test rules`.
 */

import { parse } from 'yaml';
import type { PrometheusClient } from '../../src/prometheus/prometheus-client.js';

export type SteppedRules = {
  readonly intervalMs: number;
  readonly alerts: readonly {
    readonly name: string;
    readonly severity: string;
    readonly expression: string;
    readonly forMs: number;
  }[];
};

export type Firing = {
  readonly alertName: string;
  readonly severity: string;
  readonly labels: Readonly<Record<string, string>>;
  /** First evaluation at which it fired, and the last of that period. */
  readonly fromMs: number;
  readonly untilMs: number;
};

type RawRule = {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

/** Reads a generated rules file of one group. */
export function readRules(rulesYaml: string): SteppedRules {
  const { groups } = parse(rulesYaml) as { groups: { interval: string; rules: RawRule[] }[] };
  const [group] = groups;
  if (group === undefined) throw new Error('a rules file without a group');
  const recorded = new Map(
    group.rules.flatMap(({ record, expr }) => (record === undefined ? [] : [[record, expr] as const])),
  );
  return {
    intervalMs: durationMs(group.interval),
    alerts: group.rules.flatMap((rule) =>
      rule.alert === undefined
        ? []
        : [
            {
              name: rule.alert,
              severity: rule.labels?.severity ?? '',
              expression: inlined(rule.expr, recorded),
              forMs: durationMs(rule.for ?? '0s'),
            },
          ],
    ),
  };
}

function inlined(expression: string, recorded: ReadonlyMap<string, string>): string {
  return expression.replace(/[a-z_]\w*(?::\w+)+/gi, (name) => {
    const body = recorded.get(name);
    return body === undefined ? name : `(${body})`;
  });
}

/** Steps the alerts from `startMs` to `endMs`; both are moments of an evaluation. Rejects when Prometheus refuses a question. */
export async function findAlerts(
  client: PrometheusClient,
  rules: SteppedRules,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): Promise<Firing[]> {
  const firings: Firing[] = [];
  for (const { name, severity, expression, forMs } of rules.alerts) {
    const answer = await client.queryRange(expression, { startMs, endMs, stepMs: rules.intervalMs });
    if (answer.kind === 'failed') throw new Error(`${name} could not be stepped: ${answer.detail}`);
    for (const { labels, points } of answer.series) {
      const periods = holding(
        points.map(([atMs]) => atMs),
        rules.intervalMs,
        forMs,
      );
      for (const [fromMs, untilMs] of periods)
        firings.push({ alertName: name, severity, labels, fromMs, untilMs });
    }
  }
  return firings;
}

/** Periods in which an alert fires, given when its expression answered: pending first, and one silent step ends it. */
export function holding(times: readonly number[], intervalMs: number, forMs: number): [number, number][] {
  const periods: [number, number][] = [];
  let since = Number.NaN;
  let last = Number.NaN;
  let firing: [number, number] | null = null;
  for (const atMs of times) {
    if (!(atMs - last <= intervalMs)) {
      since = atMs;
      firing = null;
    }
    last = atMs;
    if (atMs - since < forMs) continue;
    if (firing === null) {
      firing = [atMs, atMs];
      periods.push(firing);
    } else firing[1] = atMs;
  }
  return periods;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number {
  let total = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    total += Number(count) * (UNITS[unit] ?? Number.NaN);
  return total;
}
