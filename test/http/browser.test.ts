/** The pages in a real browser with scripts switched off: nothing of them needs any. */

import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '../../src/http/http-server.js';
import { createHttpHarness } from './http-harness.js';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const installed = existsSync(CHROMIUM);

test('CI has a browser', () => {
  expect(
    installed || process.env.CI !== 'true',
    `${CHROMIUM} is missing: the browser tests did not run`,
  ).toBe(true);
});

describe.skipIf(!installed)('in Chromium (needs /usr/bin/chromium)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(() => browser.close());

  /** A page on the running application with one incident whose labels are long and hostile. */
  async function open(
    width: number,
  ): Promise<{ page: Page; url: string; h: ReturnType<typeof createHttpHarness> }> {
    const h = createHttpHarness();
    await h.openIncident({ pod: 'x'.repeat(300), path: '<script>document.title="owned"</script>' });
    const server = createHttpServer(h.app);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const context = await browser.newContext({ viewport: { width, height: 812 }, javaScriptEnabled: false });
    onTestFinished(async () => {
      await context.close();
      server.closeAllConnections();
      server.close();
    });
    return {
      page: await context.newPage(),
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      h,
    };
  }

  test.each([375, 1200])('no page scrolls sideways at %i px', async (width) => {
    const { page, url } = await open(width);

    for (const path of [
      '/',
      '/incidents?q=nothing',
      '/i/1',
      '/outbox',
      '/playbooks',
      '/playbooks/high-ttft',
      '/none',
    ]) {
      await page.goto(url + path);
      const box = await page.locator('html').boundingBox();
      const widest = await page.locator('body *').evaluateAll((all) =>
        // A bar that is moved out of sight on purpose has a negative position and no width to speak of.
        Math.max(...all.map((one) => one.getBoundingClientRect().right)),
      );
      expect(Math.max(widest, box?.width ?? 0), path).toBeLessThanOrEqual(width);
    }
  });

  test('an incident is acknowledged, annotated and resolved with the thumb alone', async () => {
    const { page, url, h } = await open(375);
    await page.goto(`${url}/i/1`);
    const bar = page.locator('.thumb');

    await bar.getByPlaceholder('name').fill('mia');
    await bar.getByRole('button', { name: 'Acknowledge' }).click();
    expect(await page.getByRole('status').textContent()).toContain('Acknowledged.');
    await page.getByLabel('what happened, what you tried').fill('two more workers');
    await page.getByRole('button', { name: 'Add note' }).click();
    await page.locator('.thumb').getByRole('button', { name: 'Resolve' }).click();
    expect(await page.getByRole('status').textContent()).toContain('Resolved.');

    expect((await h.view()).incident).toMatchObject({ state: 'resolved', acknowledgedBy: 'mia' });
    expect(await h.story()).toContain('note: two more workers');
  });

  test('what a thumb must hit is 44 px high', async () => {
    const { page, url } = await open(375);
    await page.goto(`${url}/i/1`);

    for (const button of await page.locator('.thumb button').all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
  });
});
