/** Every engine file against a fleet of known truth, exported in the engine's own dialect to the real Prometheus. */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { ARGUED } from '../../bench/engines/argued.js';
import { type Measured, measureEngines } from '../../bench/engines/measure.js';
import { conformanceTable } from '../../bench/engines/report.js';
import { WORKERS } from '../../bench/engines/truth.js';
import { systemClock } from '../../src/app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { prometheusBinary, withoutPrometheus } from '../support/real-prometheus.js';

/** What upstream offers, by engine and signal. */
const AVAILABLE = JSON.parse(
  readFileSync(new URL('../fixtures/engines/availability.json', import.meta.url), 'utf8'),
) as Record<string, Record<string, string>>;
const ENGINES = loadEngineFiles(builtInEnginesDirectory());

test('an engine file leaves out nothing that upstream has, unless there is an argument', () => {
  const left = Object.entries(AVAILABLE).flatMap(([engine, signals]) =>
    Object.entries(signals).flatMap(([signal, offered]) => {
      const own = ENGINES.find((one) => one.engine === engine)?.signals[signal]?.status ?? 'unavailable';
      return offered !== 'unavailable' && own === 'unavailable' ? [`${engine} ${signal}`] : [];
    }),
  );

  expect(left.filter((one) => !Object.hasOwn(ARGUED, one))).toEqual([]);
});

test('there is no argument for what is not left out', () => {
  for (const one of Object.keys(ARGUED)) {
    const [engine = '', signal = ''] = one.split(' ');
    expect(ENGINES.find((file) => file.engine === engine)?.signals[signal]?.status, one).toBe('unavailable');
  }
});

describe.skipIf(withoutPrometheus)('engine files', () => {
  let measured: Measured = { cells: [], mixed: {}, silentPanels: [] };
  beforeAll(async () => {
    if (prometheusBinary === null) throw new Error('prometheus is not installed: apt-get install prometheus');
    measured = await measureEngines({ prometheusBinary, clock: systemClock });
  }, 120_000);

  test.each(ENGINES.map(({ engine }) => engine))('%s reads the truth within its bucket edges', (engine) => {
    const own = measured.cells.filter((cell) => cell.engine === engine);

    expect(own.some(({ within }) => within === true)).toBe(true);
    expect(own.filter(({ within }) => within === false)).toEqual([]);
  });

  test('a fleet of two engines shows every worker of both', () => {
    const names = WORKERS.map(({ name }) => name);
    for (const workers of Object.values(measured.mixed)) expect(workers).toEqual(names);
    expect(Object.keys(measured.mixed).length).toBeGreaterThan(3);
  });

  test('every query of the dashboard returns data', () => {
    expect(measured.silentPanels).toEqual([]);
  });

  test('the table in the documents is what was measured', () => {
    const document = readFileSync(new URL('../../src/catalog/engines/README.md', import.meta.url), 'utf8');
    expect(document).toContain(conformanceTable(measured.cells));
  });
});
