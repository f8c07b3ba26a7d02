/**
 * What goes wrong in the simulated world: problems that begin, spread to more pods, end, and begin again.
 * A problem is one alert name in one scope; it must become one incident, however it is delivered.
 */

import type { Cancel, Clock } from '../../src/domain/clock.js';
import type { Labels } from '../../src/domain/labels.js';
import type { AlertmanagerDouble } from '../../test/support/alertmanager-double.js';
import { between, type Random } from './random.js';

export type Problem = { readonly severity: 'critical' | 'warning'; readonly alerts: readonly Labels[] };

const CLUSTERS = ['prod-eu', 'prod-us', 'prod-ap', 'staging'];
const MODELS = ['llama-70b', 'qwen-32b', 'mixtral-8x22b'];
const NAMES = ['TortureA', 'TortureB', 'TortureC', 'TortureD'];

/** How often the world moves on. */
const TICK_MS = 25;
/** How long a problem lasts, and how long it stays away: both sides of the hold and of the reopen window. */
const FIRING_MS = [400, 5_000] as const;
const QUIET_MS = [300, 7_000] as const;
/** Every problem has begun once after this, so that the first kills already meet load. */
const FIRST_WITHIN_MS = 1_000;

/** The labels by which the double groups: a group then holds several problems of mixed severity. */
export const GROUP_BY = ['cluster', 'model'] as const;

/** 48 problems of one to four alerts; half of them critical, some of them critical on their last pod only. */
export function planProblems(random: Random): Problem[] {
  const problems: Problem[] = [];
  for (const cluster of CLUSTERS) {
    for (const model of MODELS) {
      for (const alertname of NAMES) {
        const severity = random() < 0.5 ? 'critical' : 'warning';
        const count = 1 + Math.floor(random() * 4);
        const raisedLate = severity === 'critical' && random() < 0.2;
        const alerts = Array.from({ length: count }, (_, pod) => ({
          alertname,
          cluster,
          namespace: 'serving',
          model,
          pod: `engine-${pod}`,
          severity: raisedLate && pod < count - 1 ? 'warning' : severity,
        }));
        problems.push({ severity, alerts });
      }
    }
  }
  return problems;
}

export type Load = {
  readonly start: () => void;
  /** Ends every problem and begins no more. */
  readonly finish: () => void;
};

export function createLoad(deps: {
  readonly clock: Clock;
  readonly random: Random;
  readonly problems: readonly Problem[];
  readonly double: AlertmanagerDouble;
}): Load {
  const { clock, random, double } = deps;
  const states = deps.problems.map((problem) => ({
    problem,
    firing: 0,
    ending: false,
    nextAtMs: clock.monotonic() + between(random, 0, FIRST_WITHIN_MS),
  }));
  let cancel: Cancel = () => {};

  function tick(): void {
    const nowMs = clock.monotonic();
    for (const state of states) {
      if (nowMs < state.nextAtMs) continue;
      const { alerts } = state.problem;
      // One pod a step, so that groups change while their last body is still under way.
      if (!state.ending) {
        const alert = alerts[state.firing];
        if (alert !== undefined) double.fire(alert, { summary: `${alert.alertname} on ${alert.pod}` });
        state.firing += 1;
        state.ending = state.firing >= alerts.length;
      } else {
        state.firing -= 1;
        const alert = alerts[state.firing];
        if (alert !== undefined) double.resolve(alert);
        state.ending = state.firing > 0;
      }
      const [from, to] = state.firing === 0 ? QUIET_MS : FIRING_MS;
      state.nextAtMs = nowMs + between(random, from, to) / (state.firing === 0 ? 1 : alerts.length);
    }
    cancel = clock.after(TICK_MS, tick);
  }

  return {
    start: tick,
    finish() {
      cancel();
      for (const { problem } of states) for (const alert of problem.alerts) double.resolve(alert);
    },
  };
}
