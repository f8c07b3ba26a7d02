import { expect, test } from 'vitest';
import type { ServingHealthReads } from '../../src/http/serving-health-api.js';
import { createHttpHarness } from './http-harness.js';

const HOSTILE = '<script>alert(1)</script>';
const servingHealth: ServingHealthReads = {
  now: async () => ({
    atMs: Date.UTC(2026, 10, 22, 3, 0),
    overall: 'critical',
    blind: null,
    reports: [
      {
        scope: { model: HOSTILE, cluster: 'prod-us' },
        atMs: Date.UTC(2026, 10, 22, 3, 0),
        overall: 'critical',
        checks: [
          {
            name: 'kv_cache',
            status: 'critical',
            value: '97%',
            detail: '97% of KV cache',
            issues: [`${HOSTILE}: 97%`],
          },
          { name: 'gpu', status: 'unknown', value: null, detail: 'no series', issues: [] },
        ],
      },
    ],
  }),
  transitions: async () => [
    {
      scope: { model: 'm' },
      atMs: Date.UTC(2026, 10, 22, 2, 0),
      from: 'healthy',
      to: 'critical',
      says: HOSTILE,
    },
  ],
};

test('is data for machines, with every change', async () => {
  const { request } = createHttpHarness({ servingHealth });

  const { body } = await request.get('/api/v1/serving-health').expect(200);

  expect(body).toMatchObject({ at: '2026-11-22T03:00:00.000Z', overall: 'critical', blind: null });
  expect(body.scopes[0].checks[1]).toMatchObject({ name: 'gpu', status: 'unknown', value: null });
  expect(body.transitions).toEqual([
    { at: '2026-11-22T02:00:00.000Z', scope: { model: 'm' }, from: 'healthy', to: 'critical', says: HOSTILE },
  ]);
});

test('is a page, on which a label is text', async () => {
  const { request } = createHttpHarness({ servingHealth });

  const { text } = await request.get('/health').expect(200);

  expect(text).toContain('● CRITICAL');
  expect(text).toContain('? UNKNOWN');
  expect(text).not.toContain('<script>');
});

test('says so when nothing is seen', async () => {
  const { request } = createHttpHarness();

  const { text } = await request.get('/health').expect(200);

  expect(text).toContain('no engine reports anything');
  expect(text).toContain('? UNKNOWN');
});

test('wants a token where there is one', async () => {
  const { request } = createHttpHarness({ tokens: [{ name: 'ops', token: 'secret-token' }] });

  await request.get('/api/v1/serving-health').expect(401);
  await request.get('/health').expect(401);
});
