import { afterEach, describe, expect, test } from 'vitest';
import { SCENARIOS, type ScenarioName } from '../../src/simulator/scenarios.js';
import { type Harness, realPeers, startHarness } from './harness.js';

const installed = realPeers() !== null;

/** Which dialect each scenario speaks: both are covered, and error types exist only in llm_*. */
const CASES: readonly { readonly name: ScenarioName; readonly dialect: 'llm' | 'vllm' }[] = [
  { name: 'kv-exhaustion', dialect: 'vllm' },
  { name: 'long-context', dialect: 'llm' },
  { name: 'hot-worker', dialect: 'vllm' },
  { name: 'hot-worker-mild', dialect: 'llm' },
  { name: 'gpu-starved', dialect: 'llm' },
  { name: 'error-burst', dialect: 'llm' },
];

let harness: Harness | null = null;
afterEach(async () => {
  const ended = harness;
  harness = null;
  await ended?.close();
});

describe.skipIf(!installed)(
  'from a mechanism to one diagnosed page, on the real Prometheus and Alertmanager',
  () => {
    for (const { name, dialect } of CASES) {
      const { expected } = SCENARIOS[name];
      test(`${name}: ${expected.pages} page, one card, cause ${expected.cause}, one resolve`, {
        timeout: 240_000,
      }, async () => {
        harness = await startHarness({ dialect, seed: 11 });
        const { fleet, pager, slack, incident, until } = harness;
        await new Promise((resolve) => setTimeout(resolve, 8000));
        fleet.setScenario(name);

        const diagnosed = await until('an incident with a verdict', 90_000, async () => {
          const view = await incident();
          return view?.diagnosis != null ? view : null;
        });
        await until('the card', 10_000, async () => slack.messages().length > 0);
        if (expected.pages > 0) await until('the page', 60_000, async () => pager.incidents().length > 0);
        // Long enough for every further alert of the scenario to arrive and fold in.
        await new Promise((resolve) => setTimeout(resolve, 25_000));
        const settled = (await incident()) ?? diagnosed;
        expect(settled.diagnosis?.verdict.cause).toBe(expected.cause);
        expect(settled.diagnosis?.verdict.short).toMatch(/\d/);
        expect(settled.diagnosis?.findings[0]?.signal).toBe('kv_cache_utilization');
        expect(pager.incidents()).toHaveLength(expected.pages);
        expect(slack.messages().filter((message) => message.threadTs === null)).toHaveLength(1);

        fleet.setScenario('healthy');
        await until('the resolve', 120_000, async () => {
          const view = await incident();
          return view?.incident.state === 'resolved' ? view : null;
        });
        await until(
          'the card to say so',
          10_000,
          async () => slack.messages()[0]?.text.startsWith('OK') === true,
        );
        if (expected.pages > 0) {
          await until('the pager to know', 40_000, async () =>
            pager.incidents().every((one) => one.state === 'resolved'),
          );
        }
        expect(pager.events().filter((event) => event.action === 'trigger')).toHaveLength(expected.pages);
        expect(pager.events().filter((event) => event.action === 'resolve')).toHaveLength(expected.pages);
        expect(slack.messages().filter((message) => message.threadTs === null)).toHaveLength(1);
      });
    }
  },
);
