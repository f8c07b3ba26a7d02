/** Runs every case of a dialect in one simulation, each as a model of its own, and names those that came out wrong. */

import type { AlertDefinition } from '../../../src/catalog/alert-definition.js';
import { ALERTS } from '../../../src/catalog/alerts.js';
import { DEVIATION_ALERTS } from '../../../src/catalog/deviation-alerts.js';
import { firingByModel } from '../promtool.js';
import { type AlertCase, CASES, DAY_CASES } from './cases.js';
import type { AlertDialect } from './dialects.js';
import type { Clocked } from './series.js';
import { CHANGES_AT, from, HEALTHY, type State } from './state.js';

type Expected = {
  readonly name: string;
  readonly state: Partial<State>;
  /** Exactly these, or that this one is or is not among them. */
  readonly firing: Wanted;
  /** An hour before has to be told as well. */
  readonly looksBack?: boolean;
};

type Wanted =
  | { readonly exactly: readonly string[] }
  | { readonly with: string }
  | { readonly without: string };

const ASKED_AT = CHANGES_AT + 20;
/** Where nothing looks back for long, the story is told from here on: promtool takes its time a minute. */
const LATELY = CHANGES_AT - 12;
const everySevenMinutes = (minute: number) => minute > 0 && minute % 7 === 0;

/** Titles of what is proved of one alert. */
function expectedOf(one: AlertCase, dialect: AlertDialect): Expected[] {
  const { alert, severity, signal, fires, quiet } = one;
  const line = `${alert} ${severity}`;
  const absent = dialect.names[signal];
  if (absent === undefined) throw new Error(`no series are known for ${signal}`);
  const each = (states: AlertCase['alsoFires'], name: (what: string) => string, firing: Expected['firing']) =>
    Object.entries(states ?? {}).map(([what, state]) => ({ name: name(what), state, firing }));
  const expected: Expected[] = [
    { name: `${line} fires`, state: fires, firing: { with: line } },
    { name: `${line} does not fire just short of it`, state: quiet, firing: { without: line } },
    {
      name: `${line} fires though counters start over`,
      state: { ...fires, resets: everySevenMinutes },
      firing: { with: line },
    },
    {
      name: `${line} is silent about what it cannot see`,
      state: { ...fires, without: absent },
      firing: { without: line },
    },
    ...each(one.alsoFires, (what) => `${line} fires ${what}`, { with: line }),
    ...each(one.alsoQuiet, (what) => `${line} does not fire for ${what}`, { without: line }),
  ];
  return expected.map((each) => ({ ...each, looksBack: one.looksBack === true }));
}

const IDLE: Partial<State> = {
  requests: 0,
  refused: 0,
  errors: 0,
  tokens: 0,
  running: 0,
  queue: 0,
  gpuUtilization: 0,
  preemptions: 0,
};
const spike = (usual: number, value: number) => (minute: number) =>
  minute >= ASKED_AT - 1.5 && minute < ASKED_AT - 0.5 ? value : usual;

const GENERAL: readonly Expected[] = [
  { name: 'a healthy model fires nothing', state: {}, firing: { exactly: [] } },
  { name: 'nor when its counters start over', state: { resets: everySevenMinutes }, firing: { exactly: [] } },
  { name: 'nor without traffic', state: IDLE, firing: { exactly: [] } },
  {
    name: 'traffic that ends is recorded and nothing else',
    state: {
      requests: from(100, 0),
      refused: from(5, 0),
      errors: from(0.02, 0),
      tokens: from(900, 0),
      running: from(40, 0),
      queue: from(4, 0),
      gpuUtilization: from(0.75, 0),
    },
    looksBack: true,
    firing: { exactly: ['LLMNoTraffic info'] },
  },
  {
    name: 'a spike of a minute fires nothing',
    state: {
      kv: spike(0.7, 0.99),
      queue: spike(4, 500),
      gpuUtilization: spike(0.75, 0.1),
      ttft: spike(0.3, 8),
      tbt: spike(0.03, 0.3),
      errors: spike(0.02, 20),
      preemptions: spike(0.004, 20),
    },
    firing: { exactly: [] },
  },
];

/** Titles of everything that is proved, without running it. */
export function titlesOf(dialect: AlertDialect): string[] {
  return [...GENERAL, ...short(dialect), ...day(dialect)].map(({ name }) => name);
}

function short(dialect: AlertDialect): Expected[] {
  return CASES.filter(({ only }) => only === undefined || dialect.engines.startsWith(only)).flatMap(
    (one, index, all) => {
      const isSecond =
        all.findIndex((other) => other.alert === one.alert && other.severity === one.severity) < index;
      const expected = expectedOf(one, dialect);
      return isSecond
        ? expected.map((each) => ({ ...each, name: `${each.name} (where Kubernetes is seen)` }))
        : expected;
    },
  );
}

function day(dialect: AlertDialect): Expected[] {
  return DAY_CASES.flatMap((one) => expectedOf(one, dialect)).map((each) => ({
    ...each,
    name: `${each.name} (after a day)`,
  }));
}

/** Rules of these alerts. */
export type RulesOf = (alerts: readonly AlertDefinition[]) => string;

/** What came out otherwise than expected, by title; an empty map is a proof. With `titles` only these are run. */
export async function wrongCases(
  rulesOf: RulesOf,
  dialect: AlertDialect,
  titles?: readonly string[],
): Promise<Map<string, string>> {
  const chosen = (expected: readonly Expected[]) =>
    expected.filter(({ name }) => titles === undefined || titles.includes(name));
  const lately = { minutes: ASKED_AT - LATELY, startMinute: LATELY, stepSeconds: 30, evaluateSeconds: 60 };
  const hour = { minutes: ASKED_AT, stepSeconds: 30, evaluateSeconds: 60 };
  const aDay = { minutes: 25 * 60, stepSeconds: 150, evaluateSeconds: 300 };
  const standing = chosen([...GENERAL, ...short(dialect)]);
  const runs = [
    await run(
      standing.filter(({ looksBack }) => looksBack !== true),
      ALERTS,
      lately,
    ),
    await run(
      standing.filter(({ looksBack }) => looksBack === true),
      ALERTS,
      hour,
    ),
    await run(chosen(day(dialect)), DEVIATION_ALERTS, aDay),
  ];
  return new Map(runs.flatMap((found) => [...found]));

  async function run(
    expected: readonly Expected[],
    alerts: readonly AlertDefinition[],
    clock: Clocked & { readonly evaluateSeconds: number },
  ): Promise<Map<string, string>> {
    if (expected.length === 0) return new Map();
    const firing = await firingByModel({
      rules: rulesOf(alerts),
      models: expected.map(({ state }, index) =>
        dialect.series(`case-${index}`, { ...HEALTHY, ...state }, clock),
      ),
      atMinutes: clock.minutes,
      names: [...new Set(alerts.map(({ name }) => name))],
      ...clock,
    });
    return new Map(
      expected.flatMap(({ name, firing: wanted }, index) => {
        const found = firing.get(`case-${index}`) ?? [];
        return isAsWanted(found, wanted) ? [] : [[name, `fires: ${found.join(', ') || 'nothing'}`] as const];
      }),
    );
  }
}

function isAsWanted(found: readonly string[], wanted: Wanted): boolean {
  if ('with' in wanted) return found.includes(wanted.with);
  if ('without' in wanted) return !found.includes(wanted.without);
  return found.join() === [...wanted.exactly].sort().join();
}
