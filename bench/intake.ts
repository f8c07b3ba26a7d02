/**
 * Durable intake over HTTP beside a storeless Express + zod server, and beside the real Alertmanager's own
 * `POST /api/v2/alerts` (which keeps alerts in memory). Every request brings alerts that were not seen before.
 *
 * The load is eight alert names over eight places (cluster, namespace, model), each alert from a worker of its
 * own. Here they become 32 incidents, since a cause is joined by what it explains. Alertmanager is measured three times:
 *
 *   ratio_to_alertmanager_*          grouping by name and place, 64 groups: the same work without the explaining;
 *                                    it delivers to a webhook, flushed every second, as it does in front of us
 *   ratio_to_by_name_alertmanager_*  the same, grouping by name alone: 8 groups, which is less work
 *   ratio_to_idle_alertmanager_*     default timings: nothing falls due while the measurement lasts, so it only
 *                                    takes alerts in, on both cores
 *
 * What is not alike: it keeps alerts in memory, we commit them to disk; it sends within the measurement, while our
 * side commits what is to be sent and the outbox, which sends it, is no part of this measurement.
 *
 * `npm run bench:intake [-- --rounds 5 --seconds 2]`; the last line is JSON.
 */

import { parseArgs } from 'node:util';
import { apiBody, webhookBody } from './intake/bodies.js';
import { closedLoop, eachOnce, median, openLoop, percentile, requestBytes } from './intake/load.js';
import {
  type BenchServer,
  type PeerKind,
  startAlertmanager,
  startDurable,
  startStoreless,
} from './intake/servers.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '2' } },
});
const rounds = Number(values.rounds);
const durationMs = Number(values.seconds) * 1000;

const CONNECTIONS = 32;

/** Prepared before the clock starts, so that the generator only writes; more are made when they run out. */
const PREPARED = { 1: 6000, 10: 2000, 100: 400 } as const;
type Size = keyof typeof PREPARED;

type Body = (from: number, count: number) => string;

/** Bodies that never repeat within one server's life. */
function source(server: BenchServer, body: Body, size: Size, firstAlert: number): () => Buffer {
  let alert = firstAlert;
  const make = () => {
    const bytes = requestBytes(server, body(alert, size));
    alert += size;
    return bytes;
  };
  const prepared = Array.from({ length: PREPARED[size] }, make);
  return () => prepared.pop() ?? make();
}

const PRELOADED_ALERTS = 20_000;

/** Gives a server the alerts that everybody starts with. */
async function preload(server: BenchServer, body: Body): Promise<void> {
  const bodies = Array.from({ length: PRELOADED_ALERTS / 100 }, (_, index) => body(index * 100, 100));
  await eachOnce(
    server,
    bodies.map((text) => requestBytes(server, text)),
    8,
  );
}

/** Lets the machine code be made before anything is measured. */
async function warm(server: BenchServer): Promise<void> {
  await closedLoop(server, source(server, webhookBody, 1, 1_000_000), {
    connections: CONNECTIONS,
    durationMs: 700,
  });
}

let nextAlert = 10_000_000;

/** Alerts a second, closed loop. */
async function throughput(server: BenchServer, body: Body, size: Size): Promise<number> {
  nextAlert += 10_000_000;
  const next = source(server, body, size, nextAlert);
  const result = await closedLoop(server, next, { connections: CONNECTIONS, durationMs });
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} requests failed`);
  return result.perSecond * size;
}

async function ackP99(server: BenchServer): Promise<number> {
  nextAlert += 10_000_000;
  const next = source(server, webhookBody, 1, nextAlert);
  const result = await openLoop(server, next, {
    perSecond: 500,
    durationMs: durationMs * 2,
    connections: 64,
  });
  if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
  return percentile(result.latencies, 0.99);
}

const measured: Record<string, number[]> = {};
function note(key: string, value: number): number {
  const list = measured[key] ?? [];
  list.push(value);
  measured[key] = list;
  return value;
}

const PEERS = [
  { key: 'alertmanager', kind: { groups: 'as_incidents', delivers: true } },
  { key: 'by_name_alertmanager', kind: { groups: 'by_name', delivers: true } },
  { key: 'idle_alertmanager', kind: { groups: 'as_incidents', delivers: false } },
] as const;
const SIZES = [1, 10, 100] as const;

/** Only one server runs at a time, or the Alertmanager that delivers would take part in every measurement. */
async function measureOurs(): Promise<void> {
  const durable = await startDurable();
  try {
    await preload(durable, webhookBody);
    await warm(durable);
    note('ack_p99_ms_500', await ackP99(durable));
    for (const size of SIZES) note(`alerts_per_s_${size}`, await throughput(durable, webhookBody, size));
    note('rss_mb', durable.rssMb());
  } finally {
    await durable.stop();
  }
}

async function measureStoreless(): Promise<void> {
  const storeless = await startStoreless();
  try {
    await warm(storeless);
    note('storeless_per_s_1', await throughput(storeless, webhookBody, 1));
  } finally {
    await storeless.stop();
  }
}

async function measurePeer(key: string, kind: PeerKind): Promise<void> {
  const peer = await startAlertmanager(kind);
  if (peer === null) return;
  try {
    await preload(peer, apiBody);
    for (const size of SIZES) note(`${key}_per_s_${size}`, await throughput(peer, apiBody, size));
  } finally {
    await peer.stop();
  }
}

for (let round = 0; round < rounds; round += 1) {
  // Turn and turn about, so that a slow minute of the machine does not always meet the same one.
  const steps = [
    measureOurs,
    measureStoreless,
    ...PEERS.map(
      ({ key, kind }) =>
        () =>
          measurePeer(key, kind),
    ),
  ];
  for (const step of round % 2 === 0 ? steps : steps.reverse()) await step();

  const last = (key: string) => measured[key]?.at(-1) ?? Number.NaN;
  note('ratio_to_storeless_1', last('alerts_per_s_1') / last('storeless_per_s_1'));
  for (const { key } of PEERS) {
    if (measured[`${key}_per_s_1`] === undefined) continue;
    for (const size of SIZES)
      note(`ratio_to_${key}_${size}`, last(`alerts_per_s_${size}`) / last(`${key}_per_s_${size}`));
  }
  const line = Object.keys(measured).map((key) => `${key} ${last(key).toFixed(2)}`);
  console.log(`round ${round + 1} of ${rounds}: ${line.join(', ')}`);
}

const KEYS = [
  'ratio_to_storeless_1',
  'ratio_to_alertmanager_1',
  'ratio_to_alertmanager_10',
  'ratio_to_alertmanager_100',
  'ratio_to_by_name_alertmanager_1',
  'ratio_to_by_name_alertmanager_10',
  'ratio_to_by_name_alertmanager_100',
  'ratio_to_idle_alertmanager_1',
  'ratio_to_idle_alertmanager_10',
  'ratio_to_idle_alertmanager_100',
  'alerts_per_s_1',
  'alerts_per_s_100',
  'ack_p99_ms_500',
  'rss_mb',
];
// A key without a value says that its peer is not installed.
console.log(
  JSON.stringify(
    Object.fromEntries(
      KEYS.map((key) => [key, measured[key] === undefined ? null : Number(median(measured[key]).toFixed(2))]),
    ),
  ),
);
