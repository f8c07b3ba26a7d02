/** Rows B11 and B15 of the fault matrix, on the built service: a disk that is full, or slow. B13, B14: `npm run torture:points -- --action EIO`. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildDist, REPOSITORY } from '../../bench/torture/build-dist.js';
import { realClock, sleep } from '../../bench/torture/real-clock.js';
import { isFaultless } from '../../bench/torture/reconcile.js';
import { runScenario } from '../../bench/torture/scenario.js';
import { createService } from '../../bench/torture/service.js';
import { serviceEnv, WEBHOOK_TOKEN } from '../../bench/torture/service-settings.js';
import { hasStrace, injecting } from '../../bench/torture/strace.js';
import { groupBody } from '../corpus/corpus.js';
import { startFakePagerDuty } from '../support/fake-pagerduty.js';

const home = join(REPOSITORY, '.wakewell', `disk-test-${process.pid}`);
let dist = '';

beforeAll(() => {
  dist = buildDist(join(home, 'build'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A mount namespace of our own, without which a small disk cannot be made. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!canMount() && process.env.CI !== 'true')(
  'B11: on a full disk a critical is paged though it is answered 503, and taken when there is room, without a second page',
  async () => {
    const workDirectory = join(home, 'full');
    const disk = join(workDirectory, 'disk');
    mkdirSync(disk, { recursive: true });
    const pagerDuty = await startFakePagerDuty();
    const service = await createService({
      distDirectory: dist,
      workDirectory,
      logFile: join(workDirectory, 'service.log'),
      clock: realClock,
      env: serviceEnv({
        workDirectory,
        database: join(disk, 'wakewell.db'),
        prometheusUrl: 'http://127.0.0.1:9',
        pagerDutyUrl: pagerDuty.url,
      }),
    });
    onTestFinished(async () => {
      await service.kill();
      await pagerDuty.close();
    });
    const small = 'mount -t tmpfs -o size=6m none "$0" && exec "$@"';
    service.spawn({ wrap: (command) => ['unshare', '-rm', 'sh', '-c', small, disk, ...command] });
    expect(await service.untilReady()).toBe(true);
    const filler = join('/proc', String(service.pid()), 'root', disk, 'filler');
    const fire = (pod: string) =>
      fetch(`${service.url}/api/v1/alertmanager`, {
        method: 'POST',
        headers: { authorization: `Bearer ${WEBHOOK_TOKEN}` },
        body: groupBody([
          JSON.stringify({
            status: 'firing',
            labels: { alertname: 'LLMHighTTFT', severity: 'critical', cluster: 'prod', model: 'm', pod },
            annotations: { description: 'x'.repeat(100_000) },
            startsAt: '2026-11-25T10:00:00Z',
          }),
        ]),
      });
    expect(() => writeFileSync(filler, Buffer.alloc(8_000_000))).toThrow(/ENOSPC/);
    expect(readFileSync(filler).length).toBeGreaterThan(1_000_000);

    expect((await fire('a')).status).toBe(503);
    const woken = pagerDuty.incidents().filter(({ summary }) => summary.includes('LLMHighTTFT'));
    expect(woken).toHaveLength(1);

    rmSync(filler);
    let status = 503;
    for (let tries = 0; tries < 40 && status !== 200; tries += 1) {
      status = (await fire('a')).status;
      await sleep(250);
    }
    expect(status).toBe(200);
    await sleep(3_000);
    expect(pagerDuty.incidents().filter(({ summary }) => summary.includes('LLMHighTTFT'))).toHaveLength(1);
  },
  90_000,
);

test.skipIf(!hasStrace() && process.env.CI !== 'true')(
  'B15: with every sync taking 300 ms nothing is lost, and the page leaves in time',
  async () => {
    const report = await runScenario({
      dist,
      workDirectory: join(home, 'slow'),
      withinMs: 90_000,
      first: ({ database }) => ({
        wrap: injecting({
          calls: ['fsync', 'fdatasync'],
          what: 'delay_enter=300000',
          when: '1+',
          paths: [database, `${database}-wal`],
        }),
      }),
    });

    expect(report.faults).toEqual([]);
    expect(isFaultless(report)).toBe(true);
    expect(report.settled).toBe(true);
    expect(report.firstPageMs).toBeLessThan(15_000);
  },
  150_000,
);
