/** `wakewell backtest`: when an entry's alerts would have fired in the past, and what its diagnosis would have said. */

import { systemClock } from '../app.js';
import { ALERTS } from '../catalog/alerts.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { didYouMean } from '../config/suggest.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { SECOND } from '../domain/clock.js';
import { labelsFrom, labelValue } from '../domain/labels.js';
import { placeOf, scopeOf } from '../domain/scope.js';
import { stepAlert } from '../generate/step-alert.js';
import { steppedAlerts } from '../generate/stepped-alerts.js';
import { matchEntry } from '../playbook/match.js';
import { minutesBetween } from '../render/duration.js';
import { clean } from '../render/neutralise.js';
import { connectPrometheus } from './connect-prometheus.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEngines } from './load-playbook.js';
import { readMoment, readSpan } from './print.js';
import { playbooksFor } from './recordings.js';

export type BacktestOptions = {
  readonly since: string;
  readonly until?: string;
  readonly step: string;
  /** Firings that are diagnosed, the newest. */
  readonly limit: string;
  readonly playbooks?: string;
  readonly json: boolean;
};

/** One piece of the past may take this long; a page never waits for it. */
const QUERY_MS = 30 * SECOND;

type Row = {
  readonly alert: string;
  readonly severity: string;
  readonly place: string;
  readonly firedAtMs: number;
  readonly lastMs: number;
  /** Null where the limit left it out. */
  readonly concluded: {
    readonly cause: string | null;
    readonly confidence: string;
    readonly says: string;
  } | null;
};

/** Exit 0 when nothing would have fired, 1 when something would, 3 when the past could not be seen whole, 4 without such an entry. */
export async function backtest(what: string, options: BacktestOptions): Promise<number> {
  const config = requireConfig();
  const { timeScale } = config;
  const { entries, thresholds } = playbooksFor(config, options.playbooks);
  const engines = loadEngines(config.engineDirectories);
  if (engines.faults.length > 0) throw new CommandFailure(EXIT.usage, engines.faults.join('\n'));
  const untilMs = readMoment(options.until, Date.now());
  const span = readSpan(options.since.replace(/^-/, ''));
  const fromMs = span === null ? readMoment(options.since, untilMs) : untilMs - span;
  const stepMs = (readSpan(options.step) ?? Number.NaN) / timeScale;
  const limit = Number(options.limit);
  if (!(stepMs > 0))
    throw new CommandFailure(EXIT.usage, `--step ${options.step}: expected a span such as 1m`);
  if (!(fromMs < untilMs)) throw new CommandFailure(EXIT.usage, '--since must be before --until');
  if (!Number.isInteger(limit) || limit < 0)
    throw new CommandFailure(EXIT.usage, `--limit ${options.limit}: expected a number`);

  const names = [...new Set(ALERTS.map(({ name }) => name))];
  const served = names.filter(
    (name) => name === what || matchEntry(entries, { alertname: name }).entry.id === what,
  );
  if (served.length === 0) {
    const known = [...entries.map(({ id }) => id), ...names];
    if (entries.some(({ id }) => id === what))
      throw new CommandFailure(
        EXIT.noSuchThing,
        `entry ${what} serves no alert that wakewell generates: only those can be stepped`,
      );
    throw new CommandFailure(
      EXIT.noSuchThing,
      `no entry or alert is called "${what}"${didYouMean(what, known)}`,
    );
  }
  const stepped = steppedAlerts(
    ALERTS.filter(({ name }) => served.includes(name)),
    engines.found,
    { ...DEFAULT_THRESHOLDS, ...thresholds },
    { timeScale },
  );

  const { sources, sourceFor, close } = connectPrometheus(
    { ...config, timings: { ...config.timings, queryMs: QUERY_MS } },
    engines.found,
  );
  const rows: Row[] = [];
  const blind: string[] = [];
  const progress = createProgress(options.json);
  try {
    const found = [];
    const asked = stepped.flatMap((each) => sources.map((from) => ({ ...each, from })));
    for (const { alert, expression, forMs, from } of asked) {
      const where = sources.length === 1 ? alert.name : `${from.name}: ${alert.name}`;
      const result = await stepAlert({
        ...{ expression, forMs, fromMs, untilMs, stepMs },
        ask: async (query, range) => {
          const answer = await from.client.queryRange(query, range);
          return answer.kind === 'failed' ? answer : { kind: 'matrix', series: answer.series };
        },
        onProgress: (reachedMs) =>
          progress(
            `${where} ${alert.severity}: ${Math.round((100 * (reachedMs - fromMs)) / (untilMs - fromMs))} %`,
          ),
      });
      found.push(
        ...result.firings.map((one) => ({
          ...one,
          labels: { ...one.labels, ...from.externalLabels },
          alert,
        })),
      );
      blind.push(
        ...result.blind.map(
          (one) => `${where}, ${timeText(one.fromMs)} to ${timeText(one.untilMs)}: ${one.detail}`,
        ),
      );
    }
    found.sort((a, b) => b.firedAtMs - a.firedAtMs);
    for (const [index, { alert, labels, firedAtMs, lastMs }] of found.entries()) {
      const all = labelsFrom([
        ...Object.entries(labels),
        ['alertname', alert.name],
        ['severity', alert.severity],
      ]);
      const scope = scopeOf(all, config.scopeLabels);
      if (index < limit) progress(`diagnosing ${index + 1} of ${Math.min(limit, found.length)}`);
      const outcome =
        index >= limit
          ? null
          : await diagnose({
              ...{
                entries,
                labels: all,
                alertName: alert.name,
                alertExpression: null,
                scope,
                source: sourceFor(scope),
                thresholds,
              },
              ...{ atMs: firedAtMs, deadlineMs: QUERY_MS, clock: systemClock, timeScale },
            });
      rows.push({
        ...{ alert: alert.name, severity: alert.severity, firedAtMs, lastMs },
        place: [labelValue(scope, 'namespace'), placeOf(scope)].filter(Boolean).join('/'),
        concluded: outcome === null ? null : outcome.verdict,
      });
    }
  } finally {
    progress(null);
    await close();
  }
  rows.reverse();
  print(rows, blind, { fromMs, untilMs, json: options.json });
  if (blind.length > 0) return EXIT.unreachable;
  return rows.length > 0 ? EXIT.found : EXIT.fine;
}

function print(
  rows: readonly Row[],
  blind: readonly string[],
  range: { readonly fromMs: number; readonly untilMs: number; readonly json: boolean },
): void {
  if (range.json) {
    console.log(
      JSON.stringify({
        from: timeText(range.fromMs),
        until: timeText(range.untilMs),
        firings: rows.map(({ firedAtMs, lastMs, concluded, ...rest }) => ({
          ...rest,
          fired_at: timeText(firedAtMs),
          last_at: timeText(lastMs),
          cause: concluded?.cause ?? null,
          confidence: concluded?.confidence ?? null,
          says: concluded?.says ?? null,
          diagnosed: concluded !== null,
        })),
        blind,
      }),
    );
    return;
  }
  for (const { alert, severity, place, firedAtMs, lastMs, concluded } of rows) {
    const lasted = minutesBetween(firedAtMs, lastMs);
    const verdict =
      concluded === null
        ? 'not diagnosed, beyond --limit'
        : `${concluded.cause ?? 'unclear'} (${concluded.confidence}): ${concluded.says}`;
    console.log(clean(`${timeText(firedAtMs)} ${lasted.padStart(6)} ${alert} ${severity} ${place}`));
    console.log(`    ${clean(verdict)}`);
  }
  for (const one of blind) console.log(clean(`? could not be seen: ${one}`));
  const times = rows.length === 1 ? 'once' : `${rows.length} times`;
  console.log(
    `${rows.length === 0 ? 'Would not have fired' : `Would have fired ${times}`} from ${timeText(range.fromMs)} to ${timeText(range.untilMs)}${blind.length > 0 ? ', as far as could be seen' : ''}.`,
  );
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** On a terminal one line that is written over; elsewhere a line every ten seconds. Talk goes to stderr. */
function createProgress(isQuiet: boolean): (text: string | null) => void {
  const { stderr } = process;
  let saidAtMs = 0;
  return (text) => {
    if (isQuiet) return;
    if (stderr.isTTY) stderr.write(text === null ? '\r\u001b[K' : `\r\u001b[K${text}`);
    else if (text !== null && Date.now() - saidAtMs > 10 * SECOND) {
      saidAtMs = Date.now();
      stderr.write(`${text}\n`);
    }
  };
}
