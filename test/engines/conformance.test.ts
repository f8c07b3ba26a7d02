/** Every engine file against a fleet of known truth, exported in the engine's own dialect to the real Prometheus. */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Cell, measureEngines } from '../../bench/engines/measure.js';
import { systemClock } from '../../src/app.js';
import { prometheusBinary, withoutPrometheus } from '../support/real-prometheus.js';

/** What upstream offers, by engine and signal; see the head of each engine file for where that was read. */
const AVAILABLE = JSON.parse(
  readFileSync(new URL('../fixtures/engines/availability.json', import.meta.url), 'utf8'),
) as Record<string, Record<string, string>>;

describe.skipIf(withoutPrometheus)('engine files', () => {
  let cells: Cell[] = [];
  beforeAll(async () => {
    if (prometheusBinary === null) throw new Error('prometheus is not installed: apt-get install prometheus');
    cells = await measureEngines({ prometheusBinary, clock: systemClock });
  }, 60_000);

  test.each(['llm', 'vllm'])('%s reads the truth within its bucket edges', (engine) => {
    const own = cells.filter((cell) => cell.engine === engine);
    expect(own.length).toBeGreaterThan(30);
    expect(own.filter(({ within }) => within === false)).toEqual([]);
  });

  test.each(['vllm'])('%s leaves nothing out that upstream has', (engine) => {
    // vllm:cache_config_info holds the number of blocks as the text of a label, which PromQL cannot read.
    const argued = new Set(['vllm kv_blocks_total', 'vllm kv_blocks_free']);
    const left = cells.filter(
      (cell) =>
        cell.engine === engine &&
        cell.status === 'unavailable' &&
        (AVAILABLE[engine]?.[cell.signal] ?? 'unavailable') !== 'unavailable' &&
        !argued.has(`${engine} ${cell.signal}`),
    );
    expect(left).toEqual([]);
  });
});
