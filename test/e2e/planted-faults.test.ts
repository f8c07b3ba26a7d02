/**
 * Negative controls of the end-to-end harness: a fault is planted between the service and its network, and the
 * same counts that the scenarios are held to must notice it. Without a fault they must not.
 */

import { describe, expect, test } from 'vitest';
import { webhookBody } from '../../src/simulator/webhook-body.js';
import { startFakePrometheus } from '../support/fake-prometheus.js';
import { type Service, startService } from './service.js';

type Fetch = typeof globalThis.fetch;
type Fault = (fetch: Fetch, body: string, call: () => ReturnType<Fetch>, url: URL) => ReturnType<Fetch>;

const LABELS = {
  alertname: 'LLMHighTTFT',
  severity: 'critical',
  cluster: 'prod-us',
  namespace: 'serving',
  model: 'llama-70b',
};

/** One critical alert from its page to its resolve. What the fault did to it is what the counts see. */
async function tell(fault: Fault | null, during: (service: Service) => Promise<void>): Promise<void> {
  const prometheus = await startFakePrometheus();
  const service = await startService({
    prometheusUrl: prometheus.url,
    config: { timings: { resolve_hold: '100ms' } },
    ...(fault === null ? {} : { tamper: planted(fault) }),
  });
  try {
    await during(service);
  } finally {
    await service.close().finally(() => prometheus.close());
  }
}

async function fireAndResolve(service: Service): Promise<void> {
  const { receive, until, expectTold, pager, cards } = service;
  const startedAtMs = Date.now() - 60_000;
  const alert = { labels: LABELS, annotations: {}, startedAtMs };
  await receive(webhookBody(LABELS, [{ ...alert, endedAtMs: null }]));
  await until(
    'the page and the card',
    20_000,
    async () => pager.incidents().length > 0 && cards().length > 0,
  );
  await until('a diagnosis', 20_000, async () => (await service.incident())?.diagnosis ?? null);
  expectTold({ pages: 1, resolves: 0, cards: 1 });
  await receive(webhookBody(LABELS, [{ ...alert, endedAtMs: Date.now() }]));
  await until('the resolve', 20_000, async () => pager.incidents()[0]?.state === 'resolved');
  await until('the card to say so', 20_000, async () => cards()[0]?.text.startsWith('OK') === true);
  expectTold({ pages: 1, resolves: 1, cards: 1 });
}

function planted(fault: Fault): (fetch: Fetch) => Fetch {
  return (fetch) => (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    return fault(fetch, String(init?.body ?? ''), () => fetch(input, init), url);
  };
}

/** Does something more, once, beside the first call that `isIt`; the call itself goes its way. */
function besides(isIt: (url: URL, body: string) => boolean, more: Fault): Fault {
  let done = false;
  return async (fetch, body, call, url) => {
    const answer = await call();
    if (done || !isIt(url, body)) return answer;
    done = true;
    await more(fetch, body, call, url);
    return answer;
  };
}

const isTrigger = (_url: URL, body: string) => body.includes('"event_action":"trigger"');
const isResolve = (_url: URL, body: string) => body.includes('"event_action":"resolve"');
const isPost = (url: URL) => url.pathname.endsWith('/chat.postMessage');
const json = (body: string) => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json' },
});
const again: Fault = (_fetch, _body, call) => call();

const FAULTS: readonly { readonly what: string; readonly fault: Fault; readonly notice: RegExp }[] = [
  {
    what: 'the same page sent twice',
    fault: besides(isTrigger, again),
    notice: /2 triggers, expected 1/,
  },
  {
    what: 'a page under a second key',
    fault: besides(isTrigger, (fetch, body, _call, url) =>
      fetch(url, json(body.replace(/"dedup_key":"[^"]+"/, '"dedup_key":"another"'))),
    ),
    notice: /2 incidents at the pager, expected 1/,
  },
  { what: 'a second card', fault: besides(isPost, again), notice: /2 cards, expected 1/ },
  { what: 'a second resolve', fault: besides(isResolve, again), notice: /2 resolves, expected 1/ },
  {
    what: 'a page after its resolve',
    fault: besides(isResolve, (fetch, body, _call, url) => {
      const payload = { summary: 'again', source: 'a zombie', severity: 'critical' };
      return fetch(url, json(JSON.stringify({ ...JSON.parse(body), event_action: 'trigger', payload })));
    }),
    notice: /2 incidents at the pager|trigger after resolve/,
  },
  {
    what: 'a page that the pager refuses',
    fault: besides(isTrigger, (fetch, _body, _call, url) => fetch(url, json('{"event_action":"trigger"}'))),
    notice: /PagerDuty saw the unexpected: invalid event/,
  },
  {
    what: 'a Slack method that nobody has business with',
    fault: besides(isPost, (fetch, _body, _call, url) =>
      fetch(new URL('chat.delete', url), { method: 'POST', body: '' }),
    ),
    notice: /Slack saw the unexpected: method chat\.delete/,
  },
  {
    what: 'a call to anybody else',
    fault: besides(isPost, (fetch, body) =>
      fetch('https://telemetry.example.com/v1', json(body)).catch(() => new Response()),
    ),
    notice: /called elsewhere: POST https:\/\/telemetry\.example\.com\/v1/,
  },
];

describe.concurrent('the harness', { timeout: 90_000 }, () => {
  test('is content with one page, one card and one resolve', async () => {
    await tell(null, fireAndResolve);
  });

  for (const { what, fault, notice } of FAULTS) {
    test(`fails on ${what}`, async () => {
      await expect(tell(fault, fireAndResolve)).rejects.toThrow(notice);
    });
  }

  test('fails on what follows the last count', async () => {
    const late = async (service: Service) => {
      await fireAndResolve(service);
      const again = { labels: { ...LABELS, model: 'another' }, annotations: {}, startedAtMs: Date.now() };
      await service.receive(webhookBody(again.labels, [{ ...again, endedAtMs: null }]));
      await service.until('the other page', 20_000, async () => service.pager.incidents().length > 1);
    };

    await expect(tell(null, late)).rejects.toThrow(/2 incidents at the pager, expected 1/);
  });
});
