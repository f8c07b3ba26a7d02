import { describe, expect, it } from 'vitest';
import { fitTrace } from '../../src/simulator/fit-trace.js';
import { DEFAULT_SERVING } from '../../src/simulator/serving-config.js';

const arrival = (atMs: number, promptTokens: number) => ({ atMs, promptTokens, outputTokens: 10 });

describe('a trace', () => {
  it('is left as it is where the world can serve it', () => {
    const trace = [arrival(0, 900), arrival(500, 1200), arrival(1500, 700)];

    expect(fitTrace(trace, DEFAULT_SERVING)).toEqual(trace);
  });

  it('keeps its proportions where its prompts are too long for the world', () => {
    const fitted = fitTrace([arrival(0, 40_000), arrival(10, 80_000), arrival(20, 20_000)], DEFAULT_SERVING);
    const [first, second, third] = fitted.map(({ promptTokens }) => promptTokens);

    expect(second).toBeLessThan(20_000);
    expect((second ?? 0) / (first ?? 1)).toBeCloseTo(2, 2);
    expect((first ?? 0) / (third ?? 1)).toBeCloseTo(2, 2);
  });

  it('spreads what a coarse clock put at one time', () => {
    const fitted = fitTrace([arrival(0, 1), arrival(0, 1), arrival(0, 1), arrival(3000, 1)], DEFAULT_SERVING);

    expect(fitted.map(({ atMs }) => atMs)).toEqual([0, 1000, 2000, 3000]);
  });
});
