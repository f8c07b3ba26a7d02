/** A trial beside an existing pager: the whole service in shadow mode, and what happens when it goes live. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildApp, systemClock } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/log/logger.js';
import { startFakeAlertmanager } from '../support/fake-alertmanager.js';
import { startFakePagerDuty } from '../support/fake-pagerduty.js';
import { startFakeSlack } from '../support/fake-slack.js';

const KEY = 'shadow00000000000000000000000000';

async function setUp() {
  const pager = await startFakePagerDuty({ routingKeys: [KEY] });
  const slack = await startFakeSlack({ channels: { C0SHADOW: 'C0SHADOW' } });
  const am = await startFakeAlertmanager({ clock: systemClock });
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-shadow-'));
  onTestFinished(async () => {
    await pager.close();
    await slack.close();
    await am.close();
    rmSync(directory, { recursive: true, force: true });
  });
  async function serve(mode: 'shadow' | 'live') {
    const read = readConfig({
      yamlText: JSON.stringify({
        port: 0,
        mode,
        database_url: `file:${join(directory, 'shadow.db')}`,
        alertmanager: { url: am.url },
        timings: { page_deadline: '300ms' },
        // Three pages at once reach a pager's ceiling, whose last page would speak for several.
        page_ceilings: [{ pages: 100, within: '1m' }],
        ...(mode === 'shadow' ? { dead_man: { url: `${pager.url}/dead-man`, interval: '1s' } } : {}),
        receivers: [
          { name: 'pager', kind: 'pagerduty', routing_key: KEY, events_url: pager.url },
          {
            name: 'team',
            kind: 'slack',
            bot_token: 'xoxb-shadow',
            channel: 'C0SHADOW',
            api_url: slack.url.replace(/\/$/, ''),
          },
        ],
      }),
      env: {},
    });
    if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
    const app = await buildApp(read.config, { logger: createLogger({ level: 'silent' }) });
    const { url } = await app.start();
    onTestFinished(() => app.stop());
    return { app, url };
  }
  return { pager, slack, am, serve };
}

const alert = (model: string, status = 'firing') => ({
  status,
  labels: { alertname: 'LLMHighTTFT', severity: 'critical', cluster: 'prod-us', namespace: 's', model },
  annotations: {},
  startsAt: new Date(Date.now() - 60_000).toISOString(),
  endsAt: status === 'resolved' ? new Date().toISOString() : '0001-01-01T00:00:00Z',
});

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const fire = (url: string, ...alerts: object[]) =>
  post(`${url}/api/v1/alertmanager`, { version: '4', groupKey: '{}', status: 'firing', alerts });

async function until(what: string, ready: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 5 s: ${what}`);
}

const page = async (url: string, path: string) =>
  (await fetch(`${url}${path}`, { headers: { accept: 'text/html' } })).text();

test('everything is decided and shown, nothing leaves, and going live tells what stands open', async () => {
  const { pager, slack, am, serve } = await setUp();
  const { app, url } = await serve('shadow');
  const shown = async (id: number, text: string) => (await page(url, `/i/${id}`)).includes(text);

  await fire(url, alert('open'), alert('acked'), alert('over'));
  await until(
    'three pages were decided',
    async () => (await page(url, '/outbox')).split('page → pager').length > 3,
  );
  await post(`${url}/api/v1/incidents/2/acknowledge`, {});
  await fire(url, alert('over', 'resolved'));
  await post(`${url}/api/v1/incidents/3/resolve`, {});
  await until('the acknowledgement was decided', () =>
    shown(2, 'Acknowledgement to pager would have been sent'),
  );
  await until('the resolve was decided', async () => {
    await post(`${url}/api/v1/incidents/3/resolve`, {});
    return shown(3, 'Resolve to pager would have been sent');
  });
  expect(await shown(1, 'Page to pager would have been sent now: shadow mode')).toBe(true);
  expect(await shown(1, 'Card to team would have been sent now: shadow mode')).toBe(true);

  // Not even a silence, which would be heard by every other pager.
  const silence = await post(`${url}/api/v1/incidents/1/silence`, { for: '1h' });
  expect(silence.status).toBe(409);
  expect(am.silences()).toEqual([]);

  const outbox = await page(url, '/outbox');
  expect(outbox).toContain('◌ SHADOW');
  expect(outbox).toContain('INC-1');
  for (const path of ['/', '/i/1', '/outbox', '/playbooks', '/health', '/nowhere']) {
    expect(await page(url, path), path).toContain('Shadow mode: everything is decided');
  }
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok', mode: 'shadow' });
  expect(await page(url, '/metrics')).toContain('wakewell_shadow_mode 1');
  const view = await app.readView(1);
  expect(view?.pagedReceivers).toEqual([]);
  expect(pager.requests()).toEqual([]);
  expect(slack.calls()).toEqual([]);

  await app.stop();
  const live = await serve('live');
  await until('the open one pages', () => pager.incidents().length === 1);
  await until('cards are posted', () => slack.messages().length >= 2);

  expect(pager.incidents()[0]).toMatchObject({ state: 'triggered' });
  expect(pager.incidents()[0]?.summary).toContain('Shadow mode ended');
  expect((await live.app.readView(1))?.episode).toMatchObject({ number: 2, because: 'shadow mode ended' });
  // Whoever took it in the trial has it still.
  expect((await live.app.readView(2))?.incident.state).toBe('acknowledged');
  expect(await page(live.url, '/')).not.toContain('Shadow mode: everything');

  // And once: a second live start pages nobody again.
  await live.app.stop();
  const again = await serve('live');
  await until('it serves', async () => (await fetch(`${again.url}/healthz`)).ok);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(pager.incidents()).toHaveLength(1);
  expect(pager.events().filter(({ action }) => action === 'trigger')).toHaveLength(1);
  pager.expectNoUnexpected();
});
