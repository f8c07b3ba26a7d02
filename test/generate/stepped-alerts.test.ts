import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { steppedAlerts } from '../../src/generate/stepped-alerts.js';

const ENGINES = loadEngineFiles(builtInEnginesDirectory());

test('every alert is one valid expression that needs no rule of ours', () => {
  const stepped = steppedAlerts(ALERTS, ENGINES, DEFAULT_THRESHOLDS);

  expect(stepped.map(({ alert }) => alert)).toEqual(ALERTS);
  for (const { alert, expression } of stepped) {
    expect(expression, alert.name).not.toMatch(/wakewell:/);
    let faulty = false;
    parser.parse(expression).iterate({
      enter(node) {
        if (node.type.isError) faulty = true;
      },
    });
    expect(faulty, expression).toBe(false);
  }
});

test('for is as much shorter as the windows are', () => {
  const [scaled] = steppedAlerts(ALERTS.slice(0, 1), ENGINES, DEFAULT_THRESHOLDS, { timeScale: 20 });

  expect(scaled?.forMs).toBe(15_000);
});
