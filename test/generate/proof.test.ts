import { beforeAll, describe, expect, test } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { CASES, DAY_CASES } from './alert-cases/cases.js';
import { llm, vllm } from './alert-cases/dialects.js';
import { type RulesOf, titlesOf, wrongCases } from './alert-cases/verify.js';
import { withoutPromtool } from './promtool.js';

const ENGINES = loadEngineFiles(builtInEnginesDirectory());

const rulesFor =
  (engine: string): RulesOf =>
  (alerts) =>
    generateAlertRules({ alerts, engines: ENGINES, engine, thresholds: DEFAULT_THRESHOLDS });

test('every alert has a case in which it fires and one in which it does not', () => {
  const proved = new Set([...CASES, ...DAY_CASES].map(({ alert, severity }) => `${alert} ${severity}`));
  expect([...proved].sort()).toEqual(
    [...new Set(ALERTS.map(({ name, severity }) => `${name} ${severity}`))].sort(),
  );
});

describe.skipIf(withoutPromtool).each([
  ['llm', llm],
  ['vllm', vllm],
] as const)('the alerts of %s under promtool', (_name, dialect) => {
  let wrong = new Map<string, string>();

  beforeAll(async () => {
    wrong = await wrongCases(rulesFor(dialect.engines), dialect);
  }, 300_000);

  test.each(titlesOf(dialect))('%s', (title) => {
    expect(wrong.get(title)).toBeUndefined();
  });
});
