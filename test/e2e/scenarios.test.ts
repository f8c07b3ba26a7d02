import { describe, test } from 'vitest';
import { SCENARIOS, type ScenarioName } from '../../src/simulator/scenarios.js';
import { realPeers, startHarness } from './harness.js';

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

/** Healthy before it breaks; and broken long enough for every further alert to arrive and fold in. */
const HEALTHY_MS = 8000;
const SETTLE_MS = 25_000;

/** More and longer conversations fill the cache: of what grew, either may be seen first to have. */
function rightCauses(name: ScenarioName, cause: string | null): readonly (string | null)[] {
  return name === 'kv-exhaustion' ? [cause, 'long_context_kv'] : [cause];
}

// Side by side: each waits most of the time.
describe.skipIf(!installed)(
  'from a mechanism to one diagnosed page, on the real Prometheus and Alertmanager',
  () => {
    for (const { name, dialect } of CASES) {
      const { expected } = SCENARIOS[name];
      const title = `${name}: ${expected.pages} page, one card, cause ${expected.cause}, one resolve`;
      test.concurrent(title, { timeout: 300_000 }, async ({ expect }) => {
        const harness = await startHarness({ dialect, seed: 7 });
        try {
          const { fleet, pager, cards, incident, until, expectTold } = harness;
          await pause(HEALTHY_MS);
          fleet.setScenario(name);

          await until(
            'an incident with a verdict',
            120_000,
            async () => (await incident())?.diagnosis ?? null,
          );
          await until('the card', 10_000, async () => cards().length > 0);
          if (expected.pages > 0) await until('the page', 60_000, async () => pager.incidents().length > 0);
          await pause(SETTLE_MS);
          const verdict = (await incident())?.diagnosis?.verdict;
          expect(verdict).toMatchObject({ short: expect.stringMatching(/\d/) });
          expect(rightCauses(name, expected.cause)).toContain(verdict?.cause);
          expect((await incident())?.diagnosis?.findings[0]?.signal).toBe('kv_cache_utilization');
          expectTold({ pages: expected.pages, resolves: 0, cards: 1 });

          fleet.setScenario('healthy');
          await until('the resolve', 120_000, async () => (await incident())?.incident.state === 'resolved');
          await until('the card to say so', 15_000, async () => cards()[0]?.text.startsWith('OK') === true);
          if (expected.pages > 0) {
            await until('the pager to know', 60_000, async () =>
              pager.incidents().every((one) => one.state === 'resolved'),
            );
          }
          expectTold({ pages: expected.pages, resolves: expected.pages, cards: 1 });
        } catch (error) {
          const view = await harness.app.readView(1);
          const story = view?.timeline.map((entry) => `${entry.kind}: ${entry.text}`).join('\n');
          throw new Error(`${error instanceof Error ? error.message : String(error)}\n${story}`, {
            cause: error,
          });
        } finally {
          await harness.close();
        }
      });
    }

    test.concurrent('healthy: nobody is told anything', { timeout: 120_000 }, async ({ expect }) => {
      const harness = await startHarness({ dialect: 'llm', seed: 7 });
      try {
        await pause(HEALTHY_MS + SETTLE_MS);
        expect(await harness.incident()).toBeNull();
        harness.expectTold({ pages: 0, resolves: 0, cards: 0 });
      } finally {
        await harness.close();
      }
    });
  },
);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
