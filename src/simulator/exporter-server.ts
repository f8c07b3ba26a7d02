import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { renderGpuMetrics, renderLlmMetrics, renderVllmMetrics, type Throughput } from './exporter.js';
import type { Fleet } from './fleet.js';
import { TEXT_CONTENT_TYPE } from './prometheus-text.js';
import type { FleetSnapshot } from './snapshot.js';

export type Dialect = 'llm' | 'vllm';

export type ScrapeTarget = {
  /** `host:port`. */
  readonly address: string;
  readonly path: string;
  /** Target labels: cluster, namespace, model, pod, worker_id; no worker's on the gateway. */
  readonly labels: Readonly<Record<string, string>>;
};

export type ExporterServer = {
  readonly url: string;
  readonly targets: readonly ScrapeTarget[];
  readonly close: () => Promise<void>;
};

/**
 * Serves a fleet to Prometheus on 127.0.0.1: `/metrics/<worker>` and, for `llm`, `/metrics/gateway`; for `vllm`,
 * `/metrics/<worker>-gpu` stands in for a GPU exporter. A worker that is down answers 503. Port 0 picks a free one.
 * Whoever calls advances the fleet.
 */
export async function startExporterServer(options: {
  readonly fleet: Fleet;
  readonly port: number;
  readonly dialect: Dialect;
  /** Target labels cluster, namespace, model; the fleet's own place by default. */
  readonly scope?: Readonly<Record<string, string>>;
}): Promise<ExporterServer> {
  const { fleet, dialect } = options;
  const throughput = createThroughputMeter();

  const server = createServer((request, response) => {
    const page = /^\/metrics\/([^/?]+)/.exec(request.url ?? '')?.[1];
    if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      return answer(response, 404, 'no such page\n');
    }
    const snapshot = fleet.snapshot();
    if (!pagesOf(fleet, dialect).includes(page)) return answer(response, 404, 'no such worker\n');
    const text = renderPage(snapshot, page, dialect, throughput(snapshot));
    return text === null ? answer(response, 503, 'the worker is down\n') : answer(response, 200, text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const scope = options.scope ?? fleet.place;
  return {
    url: `http://${address}`,
    targets: pagesOf(fleet, dialect).map((page) => ({
      address,
      path: `/metrics/${page}`,
      labels: targetLabels(page, scope),
    })),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pagesOf(fleet: Fleet, dialect: Dialect): string[] {
  const workers = [...fleet.workerNames];
  return dialect === 'llm'
    ? [...workers, 'gateway']
    : [...workers, ...workers.map((worker) => `${worker}${GPU_SUFFIX}`)];
}

const GPU_SUFFIX = '-gpu';

function renderPage(
  snapshot: FleetSnapshot,
  page: string,
  dialect: Dialect,
  throughput: Throughput,
): string | null {
  if (dialect === 'llm') {
    return renderLlmMetrics(snapshot, page === 'gateway' ? undefined : page, throughput);
  }
  return page.endsWith(GPU_SUFFIX)
    ? renderGpuMetrics(snapshot, page.slice(0, -GPU_SUFFIX.length))
    : renderVllmMetrics(snapshot, page);
}

function targetLabels(page: string, scope: Readonly<Record<string, string>>): Record<string, string> {
  if (page === 'gateway') return { ...scope, pod: 'gateway' };
  const worker = page.endsWith(GPU_SUFFIX) ? page.slice(0, -GPU_SUFFIX.length) : page;
  return { ...scope, pod: page, worker_id: worker };
}

/** Tokens per second by worker over at least one simulated second, kept between scrapes. */
export function createThroughputMeter(): (snapshot: FleetSnapshot) => Throughput {
  let earlier: FleetSnapshot | null = null;
  let rates: Throughput = new Map();
  return (snapshot) => {
    const elapsed = earlier === null ? 0 : (snapshot.simulatedMs - earlier.simulatedMs) / 1000;
    if (earlier !== null && elapsed < 1) return rates;
    rates = new Map(
      snapshot.workers.map((worker) => {
        const before = earlier?.workers.find((candidate) => candidate.name === worker.name);
        const tokens = worker.generatedTokens - (before?.generatedTokens ?? worker.generatedTokens);
        return [worker.name, elapsed > 0 ? Math.max(0, tokens) / elapsed : 0];
      }),
    );
    earlier = snapshot;
    return rates;
  };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': TEXT_CONTENT_TYPE }).end(text);
}
