import { expect, test } from 'vitest';
import { anAlert } from '../support/build.js';
import { createHttpHarness } from './http-harness.js';

test('an incident explains itself by API and on its page', async () => {
  const h = createHttpHarness();
  await h.openIncident();
  await h.deliverDue();

  const { body } = await h.request.get('/api/v1/incidents/INC-1/explain').expect(200);

  expect(body).toMatchObject({ id: 'INC-1', paged: false, alerts: [{ alertname: 'LLMHighTTFT' }] });
  expect(body.reasons).toContainEqual({
    code: 'routed',
    topic: 'routing',
    says: 'A route of the configuration, or the default for its severity, chose who is told.',
    detail: 'Routed to pager, slack',
    at: '2026-11-22T03:00:00.000Z',
    receiver: null,
  });
  expect(body.summary).toBe('Nobody was paged: the page to pager goes with its verdict, or at its deadline');
  const { text } = await h.request.get('/i/1').expect(200);
  expect(text).toContain('Why you were not paged');
  await h.request.get('/api/v1/incidents/INC-2/explain').expect(404);
});

test('hostile labels in a reason are text on the page', async () => {
  const h = createHttpHarness();
  await h.receive(anAlert({ labels: { alertname: '<script>alert(1)</script>' } }));

  expect((await h.request.get('/i/1').expect(200)).text).not.toContain('<script>');
});
