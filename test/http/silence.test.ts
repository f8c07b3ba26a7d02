import { describe, expect, test } from 'vitest';
import { createHttpHarness } from './http-harness.js';

const PATH = '/api/v1/incidents/INC-1/silence';

describe('asking for a silence', () => {
  test.each([
    [{}, 'for'],
    [{ for: '' }, 'expected 1m to 30d'],
    [{ for: '-1h' }, 'expected 1m to 30d'],
    [{ for: '59s' }, 'expected 1m to 30d'],
    [{ for: '31d' }, 'expected 1m to 30d'],
    [{ for: '3650d' }, 'expected 1m to 30d'],
    [{ for: '1' }, 'expected 1m to 30d'],
    [{ for: 3600 }, 'for'],
    [{ for: '1h', matchers: ['.*'] }, 'matchers'],
    [{ for: '1h', comment: 'x'.repeat(4_001) }, 'expected at most 4000'],
  ])('%j is refused with what is wrong', async (body, detail) => {
    const h = createHttpHarness();
    await h.openIncident();

    const answer = await h.request.post(PATH).send(body).expect(400);

    expect(answer.body.detail).toContain(detail);
  });

  test('without Alertmanager is refused with what to do, by program and by page', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    const api = await h.request.post(PATH).send({ for: '1h' }).expect(409);
    const page = await h.request
      .post('/i/1/silence')
      .set('Accept', 'text/html')
      .type('form')
      .send({ for: '1h', actor: 'mia' })
      .expect(409);

    expect(api.body.detail).toContain('set ALERTMANAGER_URL');
    expect(page.text).toContain('set ALERTMANAGER_URL');
    await h.request.post('/api/v1/incidents/INC-9/silence').send({ for: '1h' }).expect(404);
  });

  test('is offered on the page of what is not over', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    expect((await h.request.get('/i/1')).text).toContain('action="/i/1/silence"');
    await h.request.post('/api/v1/incidents/1/resolve').send({}).expect(200);
    expect((await h.request.get('/i/1')).text).not.toContain('action="/i/1/silence"');
  });
});
