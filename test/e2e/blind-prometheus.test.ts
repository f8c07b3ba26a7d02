/**
 * Prometheus in every bad state, over real sockets: the page leaves within 5 s of the webhook all the same, page,
 * card and incident name each thing that could not be seen with its reason, and nothing is called OK.
 */

import { describe, expect, onTestFinished, test } from 'vitest';
import type { Diagnosis } from '../../src/domain/verdict.js';
import { webhookBody } from '../../src/simulator/webhook-body.js';
import { type FakeAnswer, type FakeQuestion, startFakePrometheus } from '../support/fake-prometheus.js';
import { entryFor } from '../support/playbooks.js';
import { type Service, startService } from './service.js';

const PAGE_WITHIN_MS = 5000;
const MIB = 1024 * 1024;

const LABELS = {
  alertname: 'LLMHighTTFT',
  severity: 'critical',
  cluster: 'prod-us',
  namespace: 'serving',
  model: 'llama-70b',
};
const CHECKS = entryFor('LLMHighTTFT').steps.map((step) => step.title);

type Case = {
  readonly name: string;
  /** Null: nobody listens. */
  readonly answer: ((question: FakeQuestion) => FakeAnswer) | null;
  /** What the lock screen says. */
  readonly short: string;
  /** What every single check says. Once five questions failed the others are not asked any more. */
  readonly reason: RegExp;
};

const UNASKED = 'failed 5 times in a row';

const CASES: readonly Case[] = [
  {
    name: 'refuses connections',
    answer: null,
    short: 'Prometheus unreachable',
    reason: new RegExp(`connection refused|${UNASKED}`),
  },
  {
    name: 'accepts and hangs',
    answer: () => ({ kind: 'hang' }),
    short: 'Prometheus timed out',
    reason: new RegExp(`no answer within 3 s|${UNASKED}`),
  },
  {
    name: 'answers nothing',
    answer: ({ path }) => empty(path.endsWith('query_range') ? 'matrix' : 'vector'),
    short: 'no data for this scope',
    reason: /this Prometheus has no metrics of any known engine/,
  },
  {
    name: 'answers HTML with 200',
    answer: () => ({
      kind: 'text',
      body: '<html><body>Everything is fine</body></html>',
      headers: { 'content-type': 'text/html' },
    }),
    short: 'Prometheus unreadable',
    reason: new RegExp(`answered text/html, not JSON|${UNASKED}`),
  },
  {
    name: 'answers 500 MB',
    answer: () => ({ kind: 'endless', chunk: Buffer.alloc(64 * 1024, ' '), everyMs: 0, bytes: 500 * MIB }),
    short: 'Prometheus unreadable',
    reason: /the answer is larger than 2048 KiB/,
  },
  {
    name: 'answers one byte a second',
    answer: () => ({ kind: 'endless', chunk: Buffer.from('{'), everyMs: 1000 }),
    short: 'Prometheus timed out',
    reason: new RegExp(`no answer within 3 s|${UNASKED}`),
  },
];

describe('a Prometheus that', () => {
  for (const { name, answer, short, reason } of CASES) {
    test(`${name}: one page within 5 s that says so, and nothing is OK`, { timeout: 60_000 }, async () => {
      const prometheus = await startFakePrometheus(answer ?? undefined);
      onTestFinished(() => prometheus.close());
      if (answer === null) await prometheus.close();
      const service = await startService({ prometheusUrl: prometheus.url });
      let closed = false;
      onTestFinished(async () => {
        if (!closed) await service.close();
      });

      const postedAtMs = Date.now();
      const facts = { labels: LABELS, annotations: {}, startedAtMs: postedAtMs - 60_000, endedAtMs: null };
      await service.receive(webhookBody(LABELS, [facts]));
      const { page, card, diagnosis } = await toldBy(service);

      expect(page.atMs - postedAtMs).toBeLessThanOrEqual(PAGE_WITHIN_MS);
      expect(page.text).toContain(`Not diagnosed: ${short}`);
      expect(card).toContain(`Not diagnosed: ${short}`);
      for (const check of CHECKS) {
        expect(page.text, `the page names ${check}`).toContain(check);
        expect(card, `the card names ${check}`).toContain(check);
      }
      expect(page.notSeen).toMatch(reason);
      expect(card).toMatch(reason);
      expect(`${page.text}\n${card}`).not.toMatch(/\bOK\b|healthy|:white_check_mark:|✓/);

      expect(diagnosis.findings.map((finding) => finding.title)).toEqual(CHECKS);
      for (const finding of diagnosis.findings) {
        expect(finding).toMatchObject({ status: 'unknown', says: expect.stringMatching(reason) });
      }
      for (const figure of diagnosis.enrichment.health) {
        expect(figure).toMatchObject({ status: 'unknown', detail: expect.stringMatching(reason) });
      }
      expect(diagnosis.verdict).toMatchObject({
        cause: null,
        confidence: 'none',
        evidence: [],
        ruledOut: [],
      });
      const html = await (await fetch(`${service.url}/i/1`)).text();
      for (const check of CHECKS) expect(html, `the incident's page names ${check}`).toContain(check);
      expect(html).toMatch(reason);
      expect(html).not.toMatch(/>\s*(OK|ok|healthy)\b/);
      // Of 500 MB each question took what it was ready to read, and hung up.
      expect(prometheus.bytesSent()).toBeLessThan(Math.max(1, prometheus.questions().length) * 8 * MIB);
      service.expectTold({ pages: 1, resolves: 0, cards: 1 });
      closed = true;
      await service.close();
    });
  }
});

type Said = {
  readonly page: { readonly atMs: number; readonly text: string; readonly notSeen: string };
  /** The card as its reader has it in the end. */
  readonly card: string;
  readonly diagnosis: Diagnosis;
};

async function toldBy(service: Service): Promise<Said> {
  const { until, pager, cards } = service;
  const event = await until('the page', 10_000, async () => pager.events()[0]);
  const diagnosis = await until('a diagnosis', 10_000, async () => (await service.incident())?.diagnosis);
  const card = await until('the card with the verdict', 10_000, async () => {
    const text = JSON.stringify(cards()[0]?.blocks ?? '');
    return text.includes('Not diagnosed') ? text : null;
  });
  const details = event.payload?.custom_details as Record<string, string>;
  const text = [event.payload?.summary, ...Object.entries(details).map((pair) => pair.join(': '))].join('\n');
  return { page: { atMs: event.atMs, text, notSeen: details['not seen'] ?? '' }, card, diagnosis };
}

function empty(resultType: 'vector' | 'matrix'): FakeAnswer {
  return { kind: 'json', body: { status: 'success', data: { resultType, result: [] } } };
}
