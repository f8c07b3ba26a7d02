import { afterEach, describe, expect, it } from 'vitest';
import { SIGNALS } from '../../src/catalog/signals.js';
import { type ExporterServer, startExporterServer } from '../../src/simulator/exporter-server.js';
import { createFleet } from '../../src/simulator/fleet.js';
import { createFleetHistory } from '../../src/simulator/fleet-history.js';
import { createSimulatedSource } from '../../src/simulator/simulated-source.js';
import { readTrace } from '../../src/simulator/trace.js';

let server: ExporterServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{\w+="[^"\\]*"(?:,\w+="[^"\\]*")*\})? (\S+)$/;

/** Reads a page, failing on any line that is no exposition format and any series that comes twice. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.trimEnd().split('\n')) {
    if (/^# (HELP \S+ .+|TYPE \S+ (gauge|counter|histogram))$/.test(line)) continue;
    const match = SAMPLE.exec(line);
    if (match === null) throw new Error(`not exposition format: "${line}"`);
    const series = `${match[1]}${match[2] ?? ''}`;
    expect(samples.has(series)).toBe(false);
    samples.set(series, Number(match[3]));
  }
  return samples;
}

const page = async (path: string) => fetch(`${server?.url}${path}`);

describe('the exporters', () => {
  it.each(['llm', 'vllm'] as const)('serve well-formed pages at every %s target', async (dialect) => {
    server = await startExporterServer({ fleet: createFleet({ seed: 2 }), port: 0, dialect });
    expect(server.targets).toHaveLength(dialect === 'llm' ? 9 : 16);
    for (const { address, path, labels } of server.targets) {
      expect(labels).toMatchObject({ cluster: 'prod-us', namespace: 'llm-serving', model: 'llama-70b' });
      const response = await fetch(`http://${address}${path}`);
      expect(response.status).toBe(200);
      const samples = parse(await response.text());
      expect(samples.size).toBeGreaterThan(2);
      for (const [series, count] of samples) {
        if (!series.includes('le="+Inf"')) continue;
        const total = series.replace('_bucket{', '_count{').replace(/,?le="\+Inf"/, '');
        expect(samples.get(total)).toBe(count);
      }
    }
    expect((await page('/metrics/nobody')).status).toBe(404);
  });

  it('does not answer for a worker that is down', async () => {
    const fleet = createFleet({ seed: 2 });
    server = await startExporterServer({ fleet, port: 0, dialect: 'vllm' });
    fleet.setScenario('error-burst');
    fleet.advance(1500);
    expect((await page('/metrics/worker-1')).status).toBe(503);
    expect((await page('/metrics/worker-0')).status).toBe(200);
  });

  it('show what the simulated source reads', async () => {
    const fleet = createFleet({ seed: 2 });
    const history = createFleetHistory();
    fleet.setScenario('kv-exhaustion');
    fleet.advance(15_000);
    history.add({ atMs: 1000, snapshot: fleet.snapshot() });
    const source = createSimulatedSource({ history });
    server = await startExporterServer({ fleet, port: 0, dialect: 'llm' });
    const samples = parse(await (await page('/metrics/worker-2')).text());
    for (const [signal, series] of [
      ['queue_depth', 'llm_queue_depth{worker_id="worker-2",priority="normal"}'],
      ['kv_cache_utilization', 'llm_kv_cache_utilization{worker_id="worker-2",gpu_id="2"}'],
      ['gpu_utilization', 'llm_gpu_utilization{gpu_id="2",worker_id="worker-2",node="gpu-node-0"}'],
    ] as const) {
      const reading = await source.readSignal(signal, fleet.place, { atMs: 1000 });
      if (reading.kind !== 'value') throw new Error(reading.kind);
      expect(samples.get(series)).toBe(reading.samples[2]?.value);
    }
  });
});

describe('the simulated source', () => {
  const fleet = createFleet({ seed: 7 });
  const history = createFleetHistory();
  for (let second = 0; second <= 30; second += 1) {
    history.add({ atMs: second * 1000, snapshot: fleet.snapshot() });
    fleet.advance(1000);
  }
  const source = createSimulatedSource({ history, timeScale: 20 });

  // What only Kubernetes, a GPU's driver or a gateway with tenants would know.
  const LACKS = ['gpu_xid_code', 'crash_loops', 'autoscaler_at_max', 'request_rate_by_tenant'].concat(
    'prompt_tokens_rate_by_tenant',
    'error_rate_by_tenant',
  );
  const has = SIGNALS.filter(({ name }) => !LACKS.includes(name));
  it.each(has.map(({ name, level }) => [name, level] as const))('answers %s', async (name, level) => {
    const reading = await source.readSignal(name, fleet.place, { atMs: 30_000 });
    if (reading.kind !== 'value') throw new Error(JSON.stringify(reading));
    expect(reading.samples.every(({ value }) => Number.isFinite(value))).toBe(true);
    expect(reading.samples.every(({ worker }) => (worker !== null) === (level === 'worker'))).toBe(true);
  });

  it('tells another scope, an unknown signal, a stopped simulation and PromQL apart', async () => {
    const at = { atMs: 30_000 };
    const elsewhere = { ...fleet.place, model: 'other' };
    expect(await source.readSignal('queue_depth', elsewhere, at)).toMatchObject({ reason: 'no_series' });
    expect(await source.readSignal('constructor', {}, at)).toMatchObject({ reason: 'unavailable' });
    expect(await source.readSignal('queue_depth', {}, { atMs: 60_000 })).toMatchObject({ kind: 'stale' });
    expect(await source.query('up', at)).toMatchObject({ reason: 'unavailable' });
  });
});

describe('a trace', () => {
  it('drives the fleet, its header passed over', () => {
    const reading = readTrace('arrival_s,prompt_tokens,output_tokens\n0.5,100,5\n1,200,5\n');
    if (reading.kind !== 'ok') throw new Error(reading.faults.join());
    const fleet = createFleet({ seed: 1, trace: reading.arrivals, warmUpMs: 900 });
    expect(fleet.snapshot().gateway.requests.map(({ value }) => value)).toEqual([1]);
  });

  it('is refused with every fault and its line', () => {
    const reading = readTrace('0,1,1\nx,1,1\n2,3\n');
    expect(reading.kind === 'faulty' && reading.faults).toHaveLength(2);
  });
});
