import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { createLlmMetrics } from '../../src/collector/llm-metrics.js';

const CHAT = { model: 'llama-70b', endpoint: '/v1/chat/completions' };

function setUp(options: { maxValues?: number; registry?: Registry } = {}) {
  let nowMs = 1_000;
  const metrics = createLlmMetrics({ now: () => nowMs, ...options });
  return {
    ...metrics,
    advance(ms: number) {
      nowMs += ms;
    },
    async lines(name: string) {
      const text = await metrics.registry.metrics();
      return text.split('\n').filter((line) => line.startsWith(name));
    },
  };
}

describe('the llm_* metrics of a gateway', () => {
  test('a request moves what it went through, in seconds', async () => {
    const { requestStarted, advance, lines } = setUp();
    const seen = requestStarted({ ...CHAT, promptTokens: 4096 });
    advance(250);
    seen.firstToken();
    advance(40);
    seen.tokens(2);
    expect(await lines('llm_requests_in_progress')).toEqual([
      'llm_requests_in_progress{model="llama-70b"} 1',
    ]);
    seen.finished();

    expect(await lines('llm_requests_in_progress')).toEqual([
      'llm_requests_in_progress{model="llama-70b"} 0',
    ]);
    expect(await lines('llm_ttft_seconds_sum')).toEqual([
      'llm_ttft_seconds_sum{model="llama-70b",endpoint="/v1/chat/completions",priority="normal"} 0.25',
    ]);
    expect(await lines('llm_tbt_seconds_count')).toEqual([
      'llm_tbt_seconds_count{model="llama-70b",endpoint="/v1/chat/completions"} 2',
    ]);
    expect(await lines('llm_tbt_seconds_sum')).toEqual([expect.stringMatching(/ 0\.04$/)]);
    expect(await lines('llm_request_duration_seconds_sum')).toEqual([
      expect.stringMatching(/status="ok"\} 0\.29$/),
    ]);
    expect(await lines('llm_generated_tokens_total')).toEqual([expect.stringMatching(/ 3$/)]);
    expect(await lines('llm_prompt_tokens_total')).toEqual([expect.stringMatching(/ 4096$/)]);
  });

  test('every known error type is there at zero before the first failure', async () => {
    const { requestStarted, lines } = setUp();
    const seen = requestStarted(CHAT);
    const types = async () =>
      (await lines('llm_error_total')).map((line) => /error_type="(\w+)".* (\d+)$/.exec(line)?.slice(1));

    expect(await types()).toEqual([
      ['crash', '0'],
      ['input', '0'],
      ['oom', '0'],
      ['timeout', '0'],
    ]);
    seen.failed('oom');
    expect(await types()).toContainEqual(['oom', '1']);
  });

  test('what ended once has ended', async () => {
    const { requestStarted, lines } = setUp();
    const seen = requestStarted(CHAT);
    seen.finished();
    seen.finished('cancelled');
    seen.failed('crash');
    seen.tokens(5);

    expect(await lines('llm_requests_in_progress')).toEqual([expect.stringMatching(/ 0$/)]);
    expect(await lines('llm_request_duration_seconds_count')).toEqual([
      expect.stringMatching(/status="ok"\} 1$/),
    ]);
    expect(await lines('llm_ttft_seconds_count')).toEqual([]);
    expect((await lines('llm_error_total')).every((line) => line.endsWith(' 0'))).toBe(true);
  });

  test('throughput is tokens over the time between two scrapes', async () => {
    const { requestStarted, advance, lines } = setUp();
    const seen = requestStarted(CHAT);
    await lines('llm');
    seen.tokens(100);
    advance(2_000);
    expect(await lines('llm_tokens_per_second')).toEqual(['llm_tokens_per_second{model="llama-70b"} 50']);
    advance(2_000);
    expect(await lines('llm_tokens_per_second')).toEqual(['llm_tokens_per_second{model="llama-70b"} 0']);
  });

  test('models beyond the limit are counted together', async () => {
    const { requestStarted, lines } = setUp({ maxValues: 3 });
    for (let index = 0; index < 1_000; index += 1) {
      requestStarted({ ...CHAT, model: `m${index}` }).finished();
    }

    expect(await lines('llm_requests_total')).toEqual([
      expect.stringContaining('m0'),
      expect.stringContaining('m1'),
      expect.stringContaining('m2'),
      'llm_requests_total{model="other",endpoint="/v1/chat/completions"} 997',
    ]);
  });

  test('whatever callers write, a scrape stays readable and bounded', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.anything()), {
          maxLength: 30,
        }),
        async (calls) => {
          const { requestStarted, registry } = setUp({ maxValues: 5 });
          for (const [model, endpoint, odd] of calls) {
            const seen = requestStarted({ model, endpoint, promptTokens: odd as number });
            seen.tokens(odd as number);
            seen.failed(odd as string);
          }
          const text = await registry.metrics();
          expect(text).not.toMatch(/NaN|undefined/);
          expect(text.isWellFormed()).toBe(true);
          for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
            expect(line).toMatch(/^llm_\w+(?:\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*\})? [\d.e+-]+$/);
          }
          expect(text.match(/^llm_requests_total\{/gm)?.length ?? 0).toBeLessThanOrEqual(36);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('they stand beside the metrics of the caller', async () => {
    const registry = new Registry();
    const metrics = createLlmMetrics({ now: () => 0, registry });

    expect(metrics.registry).toBe(registry);
    expect(() => createLlmMetrics({ now: () => 0, registry })).toThrow('already been registered');
  });
});
