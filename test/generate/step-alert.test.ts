import { describe, expect, test } from 'vitest';
import { type AskRange, stepAlert } from '../../src/generate/step-alert.js';

const MINUTE = 60_000;
const FROM = Date.UTC(2026, 0, 1);
const LABELS = { model: 'llama-70b' };

/** A server on which the expression answers between the given minutes. */
function server(periods: readonly (readonly [number, number])[], most = Number.POSITIVE_INFINITY) {
  const asked: number[] = [];
  const ask: AskRange = async (_expression, { startMs, endMs, stepMs }) => {
    const steps = (endMs - startMs) / stepMs + 1;
    asked.push(steps);
    if (steps > most) return { kind: 'failed', reason: 'timeout', detail: 'too slow' };
    const points: [number, number][] = [];
    for (let atMs = startMs; atMs <= endMs; atMs += stepMs) {
      const minute = (atMs - FROM) / MINUTE;
      if (periods.some(([from, until]) => from <= minute && minute <= until)) points.push([atMs, 300]);
    }
    return { kind: 'matrix', series: points.length === 0 ? [] : [{ labels: LABELS, points }] };
  };
  return { ask, asked };
}

const step = (ask: AskRange, days: number) =>
  stepAlert({
    expression: 'x > 200',
    forMs: 5 * MINUTE,
    fromMs: FROM,
    untilMs: FROM + days * 1440 * MINUTE,
    stepMs: MINUTE,
    ask,
  });
const minutes = (ms: number) => (ms - FROM) / MINUTE;

describe('the past', () => {
  test('is asked in pieces, and a firing that lies across two is one', async () => {
    const { ask, asked } = server([[715, 730]]);

    const { firings, blind } = await step(ask, 2);

    expect(asked).toEqual([720, 720, 720, 720, 1]);
    expect(blind).toEqual([]);
    expect(firings).toEqual([
      {
        sinceMs: FROM + 715 * MINUTE,
        firedAtMs: FROM + 720 * MINUTE,
        value: 300,
        lastMs: FROM + 730 * MINUTE,
        labels: LABELS,
      },
    ]);
  });

  test('is asked in smaller pieces where the server is too slow for large ones', async () => {
    const { ask, asked } = server(
      [
        [100, 120],
        [1000, 1010],
      ],
      200,
    );

    const { firings, blind } = await step(ask, 1);

    expect(Math.max(...asked.slice(1))).toBe(180);
    expect(blind).toEqual([]);
    expect(firings.map(({ firedAtMs }) => minutes(firedAtMs))).toEqual([105, 1005]);
  });

  test('that cannot be evaluated is said, and the rest still is', async () => {
    const { ask } = server([[1000, 1010]]);
    const broken: AskRange = async (expression, range) =>
      range.startMs === FROM
        ? { kind: 'failed', reason: 'http_error', detail: '500' }
        : ask(expression, range);

    const { firings, blind } = await step(broken, 1);

    expect(blind).toMatchObject([{ fromMs: FROM, detail: '500' }]);
    expect(firings).toHaveLength(1);
  });

  test('of a server that is not there is given up at once', async () => {
    let asked = 0;
    const { blind } = await step(async () => {
      asked += 1;
      return { kind: 'failed', reason: 'unreachable', detail: 'nobody' };
    }, 30);

    expect(asked).toBe(1);
    expect(blind.at(-1)?.untilMs).toBe(FROM + 30 * 1440 * MINUTE);
  });
});
