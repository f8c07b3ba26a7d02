import { describe, expect, test } from 'vitest';
import { createHttpHarness } from './http-harness.js';

describe('pages', () => {
  test('the front page lists what is open', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    const { text } = await h.request.get('/').expect(200);

    expect(text).toContain('href="/i/1"');
    expect(text).toContain('KV cache full, prefill waits for blocks');
  });

  test('an incident has one address', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    await h.request.get('/i/INC-1').expect(302).expect('Location', '/i/1');
    await h.request.get('/i/1').expect(200);
    await h.request.get('/i/2').set('Accept', 'text/html').expect(404);
  });

  test('acknowledge, note and resolve work by forms alone', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    const post = (action: string, fields: object) =>
      h.request.post(`/i/1/${action}`).type('form').send(fields);

    await post('acknowledge', { actor: 'mia', revision: '1' })
      .expect(303)
      .expect('Location', '/i/1?done=acknowledged');
    await post('notes', { actor: 'mia', comment: 'scaled' })
      .expect(303)
      .expect('Location', '/i/1?done=noted');
    const { revision } = (await h.view()).incident;
    await post('resolve', { revision: String(revision) })
      .expect(303)
      .expect('Location', '/i/1?done=resolved');

    const { text } = await h.request.get('/i/1?done=resolved').expect(200);
    expect(text).toContain('Resolved. Pager and card are being told.');
    expect((await h.view()).incident).toMatchObject({ acknowledgedBy: 'mia', state: 'resolved' });
  });

  test('a step done, the checks run again and reopening work by forms, too', async () => {
    const h = createHttpHarness();
    await h.openIncident();
    const post = (action: string) => h.request.post(`/i/1/${action}`).type('form').send({ actor: 'mia' });

    await post('steps/1').expect(303).expect('Location', '/i/1?done=done');
    expect((await h.request.get('/i/1')).text).toContain('✓ done');
    await post('diagnoses').expect(303).expect('Location', '/i/1?done=same');
    await post('resolve').expect(303);
    expect((await h.request.get('/i/1')).text).toContain('action="/i/1/reopen"');
    await post('reopen').expect(303).expect('Location', '/i/1?done=reopened');

    expect((await h.view()).timeline.at(-1)).toMatchObject({
      text: 'Reopened',
      actor: 'mia',
      via: 'the incident page',
    });
  });

  test('resolving from a page that is out of date does nothing and says so', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    await h.request
      .post('/i/1/resolve')
      .type('form')
      .send({ revision: '1' })
      .expect(303)
      .expect('Location', '/i/1?done=stale');

    expect((await h.view()).incident.state).toBe('open');
    expect((await h.request.get('/i/1?done=stale')).text).toContain(
      'Not done: somebody or something changed',
    );
  });

  test('only our own sentences appear as a notice', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    for (const done of ['constructor', '<b>x</b>', 'toString']) {
      expect((await h.request.get(`/i/1?done=${done}`).expect(200)).text).not.toContain('role="status"');
    }
  });

  test('the outbox draws every message as it would be sent', async () => {
    const h = createHttpHarness();
    await h.openIncident();

    const { text } = await h.request.get('/outbox').expect(200);

    expect(text).toContain('page → pager');
    expect(text).toContain('card → slack');
    expect(text).toContain('Do NOT: Halve max_batch_size');
  });

  test('a playbook is found by its own name, by an alert, and for any other alert the default', async () => {
    const h = createHttpHarness();
    const titleOf = async (name: string) =>
      /<h1>(.*?)<\/h1>/.exec((await h.request.get(`/playbooks/${name}`).expect(200)).text)?.[1];

    const byName = await titleOf('high-ttft');

    expect(byName).toBe('First tokens are slow');
    expect(await titleOf('LLMHighTTFT')).toBe(byName);
    expect((await h.request.get('/playbooks/SomeOtherAlert')).text).toContain('has no entry of its own');
    expect((await h.request.get('/playbooks')).text).toContain('href="/playbooks/high-ttft"');
  });
});
