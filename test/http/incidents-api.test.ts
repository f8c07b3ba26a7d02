import { describe, expect, test } from 'vitest';
import { anAlert } from '../support/build.js';
import { createHttpHarness } from './http-harness.js';

const LIST = '/api/v1/incidents';

describe('the list', () => {
  test('shows what was opened, with its verdict and where to read on', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    const { body } = await h.request.get(LIST).expect(200);

    expect(body.page).toEqual({ next_cursor: null, limit: 50 });
    expect(body.data).toMatchObject([
      {
        id: 'INC-1',
        state: 'open',
        severity: 'critical',
        alertname: 'LLMHighTTFT',
        scope: { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' },
        verdict: { short: 'KV full 97% on 7 of 8', confidence: 'high' },
        links: { self: '/api/v1/incidents/INC-1', html: '/i/1' },
      },
    ]);
  });

  test('pages by cursor and links to the next page with the same filters', async () => {
    const h = createHttpHarness();
    for (const model of ['a', 'b', 'c']) await h.receive(anAlert({ labels: { model } }));

    const first = await h.request.get(`${LIST}?limit=2&severity=critical`).expect(200);
    const second = await h.request.get(`${LIST}?limit=2&cursor=${first.body.page.next_cursor}`).expect(200);

    expect(first.headers.link).toBe(
      `</api/v1/incidents?limit=2&severity=critical&cursor=${first.body.page.next_cursor}>; rel="next"`,
    );
    expect([...first.body.data, ...second.body.data].map(({ id }: { id: string }) => id)).toEqual([
      'INC-3',
      'INC-2',
      'INC-1',
    ]);
  });

  test('filters by state, severity, alert name and words', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    await h.receive(anAlert({ labels: { model: 'mixtral' }, name: 'LLMQueueBuildup', severity: 'warning' }));
    const idsOf = async (query: string) =>
      (await h.request.get(`${LIST}?${query}`).expect(200)).body.data.map(({ id }: { id: string }) => id);

    expect(await idsOf('severity=warning')).toEqual(['INC-2']);
    expect(await idsOf('alertname=LLMHighTTFT')).toEqual(['INC-1']);
    expect(await idsOf('q=MIXTRAL')).toEqual(['INC-2']);
    expect(await idsOf('state=open,acknowledged&q=')).toEqual(['INC-2', 'INC-1']);
    expect(await idsOf('state=resolved')).toEqual([]);
  });

  test.each([
    ['sevrity=critical', 'unknown parameter "sevrity"'],
    ['state=opne', 'state: found "opne"'],
    ['severity=page', 'severity: found "page"'],
    ['limit=0', 'limit: expected 1 to 200'],
    ['limit=201', 'limit: expected 1 to 200'],
    ['limit=ten', 'limit: expected 1 to 200'],
    ['state=open&state=resolved', 'state: given more than once'],
    ['cursor=nonsense', 'cursor: not a cursor of this service'],
  ])('%s is refused, because a filter that is ignored would lie', async (query, detail) => {
    const { body, headers } = await createHttpHarness().request.get(`${LIST}?${query}`).expect(400);

    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ type: 'urn:wakewell:problem:bad-request', status: 400, instance: LIST });
    expect(body.detail).toContain(detail);
  });
});

describe('one incident', () => {
  test.each(['1', 'INC-1', 'inc-1'])('is found as %s', async (id) => {
    const h = createHttpHarness();
    await h.openIncident();

    const { body } = await h.request.get(`${LIST}/${id}`).expect(200);

    expect(body).toMatchObject({
      id: 'INC-1',
      headline: expect.stringMatching(/^CRIT TTFT p99 11\.8s llama-70b\/prod-us/),
      diagnosis: {
        entry: 'high-ttft',
        verdict: { cause: 'kv_cache_exhausted', do_not: [{ fix: 'Halve max_batch_size' }] },
        steps: [{ step: 'kv_cache', result: 'fail', value: '97%', limit: '90%' }],
      },
      episode: { number: 1, dedup_key: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  test('is not sent again while its revision stands', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    const { headers } = await h.request.get(`${LIST}/1`).expect(200);

    expect(headers.etag).toMatch(/^"1-r\d+"$/);
    await h.request
      .get(`${LIST}/1`)
      .set('If-None-Match', headers.etag as string)
      .expect(304);

    await h.request.post(`${LIST}/1/acknowledge`).expect(200);
    await h.request
      .get(`${LIST}/1`)
      .set('If-None-Match', headers.etag as string)
      .expect(200);
  });

  test('has its timeline, diagnoses, series and recording at addresses of their own', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    const story = await h.request.get(`${LIST}/1/timeline`).expect(200);
    const runs = await h.request.get(`${LIST}/1/diagnoses`).expect(200);
    const series = await h.request.get(`${LIST}/1/series`).expect(200);
    const recording = await h.request.get(`${LIST}/1/recording`).expect(200);

    expect(story.body.data[0]).toMatchObject({ kind: 'opened', actor: 'alertmanager' });
    expect(runs.body.data).toHaveLength(1);
    expect(series.body.data).toMatchObject([
      { signal: 'kv_cache_utilization', unit: 'ratio', kind: 'series', series: [{ worker: null }] },
      { signal: 'gpu_utilization', kind: 'empty', detail: 'no series', series: [] },
    ]);
    expect(series.body.data[0].series[0].points[1][1]).toBeNull();
    expect(recording.headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename=INC-1-1.recording.json.gz',
    });
  });

  test.each(['', '/timeline', '/diagnoses', '/series', '/recording'])(
    'that does not exist is a 404 at %j',
    async (part) => {
      const { body } = await createHttpHarness().request.get(`${LIST}/INC-9${part}`).expect(404);

      expect(body).toMatchObject({ type: 'urn:wakewell:problem:not-found', detail: 'there is no INC-9' });
    },
  );

  test('an id that is none is a 404 that says what one looks like', async () => {
    const { body } = await createHttpHarness().request.get(`${LIST}/latest`).expect(404);

    expect(body.detail).toContain('expected for example INC-412');
  });

  test('without a recording says when there will be one', async () => {
    const h = createHttpHarness();
    await h.receive(anAlert());

    const { body } = await h.request.get(`${LIST}/1/recording`).expect(404);

    expect(body.detail).toContain('frozen right after its diagnosis');
  });
});

describe('actions', () => {
  test('acknowledge, resolve and note change the incident and name who did it', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    const acked = await h.request.post(`${LIST}/INC-1/acknowledge`).send({ actor: 'mia', comment: 'on it' });
    await h.request.post(`${LIST}/1/notes`).set('X-Actor', 'leo').send({ comment: 'scaled up' }).expect(200);
    const resolved = await h.request.post(`${LIST}/1/resolve`).expect(200);

    expect(acked.body).toMatchObject({ state: 'acknowledged', acknowledged_by: 'mia' });
    expect(resolved.body).toMatchObject({ state: 'resolved', resolved_by: 'api' });
    const { body } = await h.request.get(`${LIST}/1/timeline`);
    expect(body.data.map(({ actor, text }: { actor: string; text: string }) => `${actor}: ${text}`)).toEqual(
      expect.arrayContaining(['mia: Acknowledged: on it', 'leo: scaled up', 'api: Resolved']),
    );
  });

  test('reopen, run the checks again, mark a step and rate', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    const post = (path: string, body: object = {}) =>
      h.request.post(`${LIST}/1/${path}`).set('X-Actor', 'mia').send(body);

    await post('steps/1').expect(200);
    await post('steps/2').expect(404);
    await post('steps/x').expect(404);
    await post('feedback', { rating: 'noise', comment: 'canary' }).expect(200);
    await post('feedback', { rating: 'great' }).expect(400);
    await post('feedback', {}).expect(400);
    await post('diagnoses').expect(202).expect('Location', `${LIST}/1/diagnoses`);
    await post('resolve').expect(200);
    await post('diagnoses').expect(409);
    expect((await post('reopen').expect(200)).body).toMatchObject({ state: 'open', resolved_by: null });

    const { body } = await h.request.get(`${LIST}/1/timeline`);
    expect(
      body.data
        .filter(({ actor }: { actor: string }) => actor === 'mia')
        .map(({ text, via }: { text: string; via: string }) => `${text} (${via})`),
    ).toEqual([
      'Step 1 done: Shed long prompts at the router (the API)',
      'Marked as noise: canary (the API)',
      'Resolved (the API)',
      'Reopened (the API)',
    ]);
  });

  test('acknowledging twice is no error and keeps the first name', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    await h.request.post(`${LIST}/1/acknowledge`).send({ actor: 'mia' }).expect(200);

    const { body } = await h.request.post(`${LIST}/1/acknowledge`).send({ actor: 'leo' }).expect(200);

    expect(body.acknowledged_by).toBe('mia');
  });

  test('a change based on an old revision is refused with the present one', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    const { headers } = await h.request.get(`${LIST}/1`);
    await h.request.post(`${LIST}/1/acknowledge`).expect(200);

    const { body } = await h.request
      .post(`${LIST}/1/resolve`)
      .set('If-Match', headers.etag as string)
      .expect(412);

    expect(body).toMatchObject({ type: 'urn:wakewell:problem:stale-revision', state: 'acknowledged' });
    await h.request.post(`${LIST}/1/resolve`).set('If-Match', `"1-r${body.revision}"`).expect(200);
  });

  test('acknowledging what is resolved is a conflict', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    await h.request.post(`${LIST}/1/resolve`).expect(200);

    const { body } = await h.request.post(`${LIST}/1/acknowledge`).expect(409);

    expect(body.detail).toContain('resolved cannot be acknowledged');
  });

  test.each([
    ['notes', {}, 'comment: found nothing'],
    ['notes', { comment: '   ' }, 'comment: found nothing'],
    ['notes', { comment: 'x'.repeat(4_001) }, 'expected at most 4000'],
    ['acknowledge', { comment: 1 }, 'comment'],
    ['acknowledge', { by: 'mia' }, 'by'],
  ])('%s with %j is refused', async (action, sent, detail) => {
    const h = createHttpHarness();
    await h.openIncident();

    const { body } = await h.request.post(`${LIST}/1/${action}`).send(sent).expect(400);

    expect(body.detail).toContain(detail);
  });

  test('what is not JSON is refused: a page of another site could send it unasked', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    await h.request.post(`${LIST}/1/resolve`).type('text/plain').send('{"comment":"x"}').expect(400);
    await h.request.post(`${LIST}/1/resolve`).type('form').send({ comment: 'x' }).expect(400);
    await h.request.post(`${LIST}/1/resolve`).type('json').send('{"comment":').expect(400);
    await h.request
      .post(`${LIST}/1/notes`)
      .send({ comment: 'x'.repeat(70_000) })
      .expect(413);

    expect((await h.view()).incident.state).toBe('open');
  });

  test('If-Match of another form is refused, since ignoring it would lose its protection', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    await h.request.post(`${LIST}/1/resolve`).set('If-Match', '"abc"').expect(400);
  });
});
