import { describe, expect, it } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { createFleet } from '../../src/simulator/fleet.js';
import { createFleetRunner } from '../../src/simulator/fleet-runner.js';
import { createRuleEvaluator, fillSummary } from '../../src/simulator/rule-evaluator.js';
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '../../src/simulator/scenarios.js';
import { createSimulatedSource } from '../../src/simulator/simulated-source.js';
import type { WebhookBody } from '../../src/simulator/webhook-body.js';
import { createManualClock } from '../support/manual-clock.js';

/** Plays a scenario for 80 s, then 60 s of recovery, at time scale 20. */
async function play(name: ScenarioName, deliver: (body: WebhookBody) => Promise<unknown>) {
  const clock = createManualClock({ nowMs: 1_800_000_000_000 });
  const fleet = createFleet({ seed: 7 });
  const runner = createFleetRunner({ fleet, clock, tickMs: 500, backfillMs: 20_000 });
  runner.start();
  const evaluator = createRuleEvaluator({
    source: createSimulatedSource({ history: runner.history, timeScale: 20 }),
    alerts: ALERTS,
    thresholds: DEFAULT_THRESHOLDS,
    scope: fleet.place,
    clock,
    timeScale: 20,
    deliver,
  });
  evaluator.start();
  fleet.setScenario(name);
  await clock.advance(80_000);
  const during = evaluator.firing();
  fleet.setScenario('healthy');
  await clock.advance(60_000);
  evaluator.stop();
  runner.stop();
  return { during, after: evaluator.firing() };
}

describe('rules over a simulated fleet', () => {
  it.each(SCENARIO_NAMES)('fires for %s what the scenario expects, and resolves it', async (name) => {
    const bodies: WebhookBody[] = [];
    const { expected } = SCENARIOS[name];
    const { during, after } = await play(name, async (body) => bodies.push(body));
    expect(during).toEqual(expect.arrayContaining([...expected.alertNames]));
    expect(after).toEqual([]);
    const severities = bodies.flatMap(({ alerts }) => alerts.map(({ labels }) => labels.severity));
    expect(severities.includes('critical')).toBe(expected.pages === 1);
    expect(bodies[0]?.status).toBe(expected.alertNames.length === 0 ? undefined : 'firing');
    expect(bodies.at(-1)?.status).toBe(expected.alertNames.length === 0 ? undefined : 'resolved');
  });

  it('sends again what was not taken', async () => {
    const sent: WebhookBody[] = [];
    await play('hot-worker-mild', async (body) => {
      sent.push(body);
      return sent.length > 2;
    });
    expect(sent.slice(0, 3).map(({ status }) => status)).toEqual(['firing', 'firing', 'firing']);
    expect(sent.at(-1)?.status).toBe('resolved');
  });

  it('fills the template forms that summaries use', () => {
    expect(fillSummary('{{ $value | printf "%.1f" }} s', 11.84)).toBe('11.8 s');
    expect(fillSummary('{{ $value | humanizePercentage }} full', 0.97)).toBe('97.00% full');
    for (const { summary } of ALERTS)
      for (const value of [1, 0, Number.POSITIVE_INFINITY, Number.NaN])
        expect(fillSummary(summary, value)).not.toContain('{{');
  });
});
