import { describe, expect, test } from 'vitest';
import { createHttpHarness, TOKEN } from './http-harness.js';

const LIST = '/api/v1/incidents';
const guarded = { tokens: [{ name: 'ops', token: TOKEN }] };

describe('tokens', () => {
  test.each([LIST, '/', '/incidents', '/i/1', '/outbox', '/playbooks', '/metrics'])(
    '%s needs one where one is configured',
    async (path) => {
      const h = createHttpHarness(guarded);

      const { headers } = await h.request.get(path).expect(401);

      expect(headers['www-authenticate']).toMatch(/^Basic realm=/);
    },
  );

  test('a bearer token opens, a wrong, cut or prefixed one does not', async () => {
    const h = createHttpHarness(guarded);
    const as = (value: string) => h.request.get(LIST).set('Authorization', value);

    await as(`Bearer ${TOKEN}`).expect(200);
    await as(`bearer ${TOKEN}`).expect(200);
    for (const wrong of [
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      'Bearer',
      TOKEN,
      'Digest x',
      `Bearer ${TOKEN} x`,
    ]) {
      await as(wrong).expect(401);
    }
  });

  test('two are valid at once', async () => {
    const second = 'another-token-0123456789';
    const h = createHttpHarness({ tokens: [...guarded.tokens, { name: 'new', token: second }] });

    await h.request.get(LIST).set('Authorization', `Bearer ${second}`).expect(200);
    await h.request.get(LIST).set('Authorization', `Bearer ${TOKEN}`).expect(200);
  });

  test('a browser gives a name with it, and the timeline shows that name', async () => {
    const h = createHttpHarness(guarded);
    await h.openIncident();

    await h.request
      .post('/i/1/acknowledge')
      .auth('mia', TOKEN)
      .type('form')
      .send({ actor: 'not mia' })
      .expect(303);

    expect((await h.view()).incident.acknowledgedBy).toBe('mia');
  });

  test('a program without a stated person acts under the name of its token', async () => {
    const h = createHttpHarness(guarded);
    await h.openIncident();

    await h.request.post(`${LIST}/1/acknowledge`).auth(TOKEN, { type: 'bearer' }).expect(200);

    expect((await h.view()).incident.acknowledgedBy).toBe('ops');
  });

  test('health and the style sheet need none', async () => {
    const h = createHttpHarness(guarded);

    await h.request.get('/healthz').expect(200, { status: 'ok', mode: 'live' });
    await h.request.get('/readyz').expect(200);
    await h.request.get('/style.css').expect(200);
  });
});

describe('other sites', () => {
  test.each([
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
  ])('cannot make a browser change anything: %j', async (headers) => {
    const h = createHttpHarness();
    await h.openIncident();

    await h.request.post('/i/1/resolve').set(headers).type('form').send({}).expect(403);
    await h.request.post(`${LIST}/1/resolve`).set(headers).expect(403);

    expect((await h.view()).incident.state).toBe('open');
  });

  test('cannot reach a service without tokens by pointing their name at 127.0.0.1', async () => {
    const h = createHttpHarness();

    await h.request.get(LIST).set('Host', 'evil.example').expect(403);
    await h.request.get('/outbox').set('Host', '127.0.0.1.evil.example').expect(403);
    await h.request.get(LIST).set('Host', 'localhost:9099').expect(200);
  });

  test('our own pages may, also under the public address', async () => {
    const h = createHttpHarness({ publicUrl: 'https://wake.example' });
    await h.openIncident();

    await h.request
      .post('/i/1/acknowledge')
      .set({ Origin: 'https://wake.example', 'Sec-Fetch-Site': 'same-origin' })
      .type('form')
      .send({})
      .expect(303);
    await h.request.get('/').set('Host', 'wake.example').expect(200);
  });
});

describe('headers', () => {
  test('pages allow no script, no frame and no foreign content', async () => {
    const { headers } = await createHttpHarness().request.get('/').expect(200);

    expect(headers['content-security-policy']).toBe(
      "default-src 'none';style-src 'self';img-src 'self' data:;form-action 'self';base-uri 'none';frame-ancestors 'none'",
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  });
});

describe('errors', () => {
  test('an unknown API address is JSON even for a browser, an unknown page is a page', async () => {
    const h = createHttpHarness();

    const api = await h.request.get('/api/v2/alerts').set('Accept', 'text/html').expect(404);
    const page = await h.request.get('/nowhere').set('Accept', 'text/html,*/*').expect(404);
    const program = await h.request.get('/nowhere').expect(404);

    expect(api.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.text).toContain('To the incidents');
    expect(program.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  test('a wrong method is a 404 that names it', async () => {
    const { body } = await createHttpHarness().request.delete(`${LIST}/1`).expect(404);

    expect(body.detail).toBe('nothing is served at DELETE /api/v1/incidents/1');
  });

  test('a broken address is the fault of who sent it', async () => {
    await createHttpHarness().request.get('/i/%E0%A4%A').expect(400);
  });

  test('what breaks inside is logged with its cause and shown without', async () => {
    const h = createHttpHarness({
      views: () => Promise.reject(new Error('MARKER: disk on fire at /var/lib/secret')),
    });

    const { body, text } = await h.request.get(`${LIST}/1`).expect(500);

    expect(body).toMatchObject({ type: 'urn:wakewell:problem:internal', status: 500 });
    expect(text).not.toContain('MARKER');
    expect(h.lines.join('')).toContain('MARKER');
  });
});

describe('health', () => {
  test('not ready is a 503 that names the check and not its details', async () => {
    const h = createHttpHarness({
      readiness: () => ({
        ready: false,
        checks: [{ name: 'database', ok: false, detail: 'SQLITE_FULL in /data' }],
      }),
    });

    const { body, text } = await h.request.get('/readyz').expect(503);

    expect(body).toEqual({ status: 'not_ready', checks: [{ name: 'database', ok: false }] });
    expect(text).not.toContain('/data');
    await h.request.get('/healthz').expect(200);
  });

  test('metrics are served as the registry says', async () => {
    const { text, headers } = await createHttpHarness().request.get('/metrics').expect(200);

    expect(text).toBe('wakewell_up 1\n');
    expect(headers['content-type']).toMatch(/^text\/plain/);
  });
});

test('the webhook is before everything: no origin, host or token rule costs an alert', async () => {
  const h = createHttpHarness(guarded);

  await h.request
    .post('/api/v1/alertmanager')
    .set({ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site', Host: 'evil.example' })
    .send({})
    .expect(200);
});
