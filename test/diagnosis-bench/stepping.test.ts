import { expect, test } from 'vitest';
import { holding, readRules } from '../../bench/diagnosis/find-alerts.js';

const STEP = 30_000;

test('an alert fires once its expression has answered for the whole of its hold', () => {
  const answered = [0, 1, 2, 3, 4, 5].map((step) => step * STEP);

  expect(holding(answered, STEP, 4 * STEP)).toEqual([[4 * STEP, 5 * STEP]]);
  expect(holding(answered, STEP, 0)).toEqual([[0, 5 * STEP]]);
});

test('one silent evaluation makes it pend anew', () => {
  const answered = [0, 1, 2, 4, 5, 6, 7].map((step) => step * STEP);

  expect(holding(answered, STEP, 2 * STEP)).toEqual([
    [2 * STEP, 2 * STEP],
    [6 * STEP, 7 * STEP],
  ]);
});

test('recorded series are put in where an alert names them', () => {
  const rules = readRules(`groups:
  - name: g
    interval: 30s
    rules:
      - { record: 'wakewell:queue_depth:sum_5m', expr: 'sum(q)' }
      - { alert: A, expr: 'wakewell:queue_depth:sum_5m > 200', for: 1m30s, labels: { severity: warning } }
`);

  expect(rules).toEqual({
    intervalMs: 30_000,
    alerts: [{ name: 'A', severity: 'warning', expression: '(sum(q)) > 200', forMs: 90_000 }],
  });
});
