import { expect, test } from 'vitest';
import { createAlertmanagerDouble, type DoubleOptions } from '../support/alertmanager-double.js';
import { createManualClock } from '../support/manual-clock.js';

function setUp(answers: (number | 'unreachable')[], options: Partial<DoubleOptions> = {}) {
  const clock = createManualClock({ nowMs: Date.parse('2026-01-01T00:00:00Z') });
  const { advance } = clock;
  const double = createAlertmanagerDouble({
    clock,
    random: () => 0.5,
    async post() {
      const answer = answers.shift() ?? 200;
      if (answer === 'unreachable') throw new Error('connection refused');
      return answer;
    },
    groupBy: ['alertname'],
    groupWaitMs: 1_000,
    groupIntervalMs: 20_000,
    repeatIntervalMs: 60_000,
    ...options,
  });
  const sent = () =>
    double
      .attempts()
      .map((attempt) => attempt.alerts.map((alert) => `${alert.labels.pod} ${alert.status}`).join(', '));
  return { double, advance, sent };
}

const first = { alertname: 'Slow', pod: 'a' };
const second = { alertname: 'Slow', pod: 'b' };

test('a group is sent after group_wait, and again when an alert joins it, with firing and resolved mixed', async () => {
  const { double, advance, sent } = setUp([]);
  double.fire(first);
  await advance(1_000);
  double.fire(second);
  double.resolve(first);
  await advance(20_000);

  expect(sent()).toEqual(['a firing', 'a resolved, b firing']);
});

test('a 503 and a refused connection are retried with growing pauses inside the flush', async () => {
  const { double, advance } = setUp([503, 'unreachable', 500]);
  double.fire(first);
  await advance(10_000);

  const startMs = double.attempts()[0]?.sentAtMs ?? 0;
  expect(double.attempts().map((attempt) => [attempt.sentAtMs - startMs, attempt.status])).toEqual([
    [0, 503],
    [500, null],
    [1_250, 500],
    [2_375, 200],
  ]);
});

test('a 429 is not retried before the next group_interval, and an alert resolved by then is never sent', async () => {
  const { double, advance, sent } = setUp([429]);
  double.fire(first);
  await advance(5_000);
  double.resolve(first);
  await advance(200_000);

  expect(sent()).toEqual(['a firing']);
  expect(double.isQuiet()).toBe(true);
});

test('an unchanged group is sent again after repeat_interval only', async () => {
  const { double, advance } = setUp([]);
  double.fire(first);
  await advance(1_000 + 60_000);
  expect(double.attempts()).toHaveLength(1);
  await advance(20_000);
  expect(double.attempts()).toHaveLength(2);
});

test('a resolve that could not be delivered stays until it was', async () => {
  const { double, advance, sent } = setUp([200, 400, 200]);
  double.fire(first);
  await advance(1_000);
  double.resolve(first);
  await advance(20_000);
  expect(double.isQuiet()).toBe(false);
  await advance(20_000);

  expect(sent()).toEqual(['a firing', 'a resolved', 'a resolved']);
  expect(double.isQuiet()).toBe(true);
});

test('an HA peer sends its own copy of the same group', async () => {
  const { double, advance } = setUp([], { duplicateShare: 1 });
  double.fire(first);
  await advance(1_000);

  const bodies = double.attempts().map((attempt) => JSON.parse(attempt.body));
  expect(bodies.map((body) => body.externalURL)).toEqual([
    'http://alertmanager-0:9093',
    'http://alertmanager-1:9093',
  ]);
  expect(bodies[0].groupKey).toBe(bodies[1].groupKey);
  expect(bodies[0].alerts[0].startsAt).not.toBe(bodies[1].alerts[0].startsAt);
});

test('stopping ends a flush that is waiting to retry', async () => {
  const { double, advance } = setUp(Array(100).fill(503));
  double.fire(first);
  await advance(1_500);
  await double.stop();
  const made = double.attempts().length;
  await advance(60_000);

  expect(double.attempts()).toHaveLength(made);
});
