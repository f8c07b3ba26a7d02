import { describe, expect, test } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { llm, vllm } from './alert-cases/dialects.js';
import { MUTANTS, type Mutant } from './alert-cases/mutants.js';
import { wrongCases } from './alert-cases/verify.js';
import { checkRules, withoutPromtool } from './promtool.js';

const ENGINES = loadEngineFiles(builtInEnginesDirectory());
const DIALECTS = { llm, vllm };

const rulesOf =
  ({ dialect, thresholds }: Mutant) =>
  (alerts: typeof ALERTS) =>
    generateAlertRules({
      alerts,
      engines: ENGINES,
      engine: DIALECTS[dialect].engines,
      thresholds: { ...DEFAULT_THRESHOLDS, ...thresholds },
    });

describe.skipIf(withoutPromtool)('the naïve form of an alert is caught:', () => {
  test.concurrent.each(MUTANTS.map((mutant) => [mutant.what, mutant] as const))(
    '%s',
    async (_what, mutant) => {
      const sound = rulesOf(mutant);
      const broken = mutant.put(sound(ALERTS));
      expect(broken).not.toBe(sound(ALERTS));
      // A rule that does not load is no proof that its mistake would be seen.
      expect(await checkRules(broken)).toContain('SUCCESS');

      const title = [mutant.caughtBy];
      const dialect = DIALECTS[mutant.dialect];
      const found = await wrongCases((alerts) => mutant.put(sound(alerts)), dialect, title);
      expect([...found.keys()]).toEqual(title);
    },
    120_000,
  );

  test('where the sound rules need other thresholds to be tried, they pass with those', async () => {
    for (const mutant of MUTANTS.filter(({ thresholds }) => thresholds !== undefined))
      expect([...(await wrongCases(rulesOf(mutant), DIALECTS[mutant.dialect], [mutant.caughtBy]))]).toEqual(
        [],
      );
  }, 60_000);
});
