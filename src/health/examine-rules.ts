/** The rules that Prometheus has loaded: which can never fire, which fail, which alerts have no entry of their own. */

import { labelsFrom } from '../domain/labels.js';
import { entriesFor } from '../playbook/match.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { canAnswer, metricsOf } from '../prometheus/can-answer.js';
import type { PrometheusClient } from '../prometheus/prometheus-client.js';
import type { LoadedRule } from '../prometheus/read-rules.js';

export type ExaminedRules =
  | {
      readonly kind: 'rules';
      readonly count: number;
      /** Alerts whose expression must stay empty, and the metrics without series that make it so. */
      readonly dead: readonly { readonly name: string; readonly missing: readonly string[] }[];
      readonly failing: readonly { readonly name: string; readonly error: string }[];
      /** Alerts that the built-in default entry would serve. */
      readonly withoutEntry: readonly string[];
    }
  | { readonly kind: 'failed'; readonly detail: string };

/** Names asked about at once: a pattern of more would exceed what a server takes. */
const NAMES_AT_ONCE = 200;

export async function examineRules(
  client: PrometheusClient,
  entries: readonly PlaybookEntry[],
  atMs: number,
): Promise<ExaminedRules> {
  const answer = await client.rules();
  if (answer.kind === 'failed') return { kind: 'failed', detail: answer.detail };
  const { rules } = answer;
  const names = [...new Set(rules.flatMap(({ query }) => metricsOf(query)))];
  const present = await presentNames(client, names, atMs);
  if (present.kind === 'failed') return present;
  const recorded = withRecorded(rules, present.names);
  const alerts = rules.filter(({ kind }) => kind === 'alerting');
  return {
    kind: 'rules',
    count: rules.length,
    dead: alerts
      .filter(({ query }) => !canAnswer(query, recorded))
      .map(({ name, query }) => ({ name, missing: missingFor(query, rules, recorded) })),
    failing: rules.flatMap(({ name, lastError }) => (lastError === null ? [] : [{ name, error: lastError }])),
    withoutEntry: [...new Set(alerts.map(({ name }) => name))].filter(
      (name) =>
        entriesFor(entries, labelsFrom([['alertname', name]]), { otherLabels: 'assumed' }).length === 0,
    ),
  };
}

async function presentNames(
  client: PrometheusClient,
  names: readonly string[],
  atMs: number,
): Promise<{ kind: 'names'; names: Set<string> } | { kind: 'failed'; detail: string }> {
  const present = new Set<string>();
  for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
    const pattern = names.slice(from, from + NAMES_AT_ONCE).join('|');
    const answer = await client.query(`count by (__name__) (last_over_time({__name__=~"${pattern}"}[1h]))`, {
      atMs,
    });
    if (answer.kind === 'failed') return { kind: 'failed', detail: answer.detail };
    for (const { labels } of answer.samples) present.add(labels.__name__ ?? '');
  }
  return { kind: 'names', names: present };
}

/** The metrics that an expression lacks, those of the recordings it names among them: a recording is nothing to look for. */
function missingFor(query: string, rules: readonly LoadedRule[], known: ReadonlySet<string>): string[] {
  const missing = new Set<string>();
  const followed = new Set<string>();
  const follow = (expression: string) => {
    for (const name of metricsOf(expression)) {
      if (known.has(name) || followed.has(name)) continue;
      followed.add(name);
      const recordings = rules.filter((rule) => rule.kind === 'recording' && rule.name === name);
      if (recordings.length === 0) missing.add(name);
      for (const recording of recordings) follow(recording.query);
    }
  };
  follow(query);
  return [...missing];
}

/** A recorded series may be absent because nothing is wrong: it counts as there when its own rule could answer. */
function withRecorded(rules: readonly LoadedRule[], present: ReadonlySet<string>): Set<string> {
  const known = new Set(present);
  for (;;) {
    const before = known.size;
    for (const { kind, name, query } of rules)
      if (kind === 'recording' && !known.has(name) && canAnswer(query, known)) known.add(name);
    if (known.size === before) return known;
  }
}
