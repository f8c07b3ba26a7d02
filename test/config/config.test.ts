import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Config, readConfig } from '../../src/config/config.js';
import { parseDuration } from '../../src/config/duration.js';

type Env = Record<string, string | undefined>;

const TOKEN = 'a-long-enough-token-0123456789';
const KEY = 'R0123456789ABCDEF0123456789ABCDEF'.slice(0, 32);

function configOf(yamlText: string, env: Env = {}): Config {
  const result = readConfig({ yamlText, env, file: 'wakewell.yaml' });
  if (result.kind === 'faulty') throw new Error(result.faults.join('\n'));
  return result.config;
}

function faultsOf(yamlText: string, env: Env = {}): string {
  const result = readConfig({
    yamlText,
    env,
    file: 'wakewell.yaml',
    thresholdNames: new Set(['kv_cache_utilization.full']),
    signalNames: new Set(['ttft_p99_seconds']),
    checkMatcher: (text) => (text.includes('=') ? null : `${text}: no matcher`),
  });
  return result.kind === 'faulty' ? result.faults.join('\n') : '';
}

describe('defaults', () => {
  test('nothing configured is a working configuration on loopback', () => {
    const config = configOf('');

    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 9099,
      publicUrl: 'http://127.0.0.1:9099',
      databaseUrl: 'file:./data/wakewell.db',
      timeScale: 1,
      scopeLabels: ['cluster', 'namespace', 'model'],
      timings: {
        pageDeadlineMs: 5_000,
        diagnosisMs: 4_000,
        queryMs: 3_000,
        resolveHoldMs: 300_000,
        reopenWindowMs: 1_800_000,
      },
      flapping: { cycles: 3, withinMs: 1_800_000, quietMs: 900_000 },
      storm: {
        incidents: 5,
        withinMs: 120_000,
        quietMs: 600_000,
        cardEveryMs: 60_000,
        pageEveryMs: 900_000,
      },
      pageCeilings: [
        { pages: 3, withinMs: 900_000 },
        { pages: 7, withinMs: 3_600_000 },
      ],
    });
  });

  test('without Slack and pager a log receiver stands in', () => {
    expect(configOf('').receivers).toEqual([{ kind: 'log', name: 'log' }]);
    expect(
      configOf('receivers: [{ name: team, kind: webhook, url: "https://example.test/in" }]').receivers.map(
        ({ kind }) => kind,
      ),
    ).toEqual(['webhook', 'log']);
  });

  test('a file of comments only is the default configuration', () => {
    expect(configOf('# nothing yet\n')).toEqual(configOf(''));
  });

  test('the result cannot be changed', () => {
    const config = configOf('');

    expect(() => Object.assign(config.timings, { queryMs: 1 })).toThrow(TypeError);
  });

  test('port 0 has no address to link to', () => {
    expect(configOf('port: 0').publicUrl).toBeNull();
  });
});

describe('environment', () => {
  test('a Slack token and a channel make the receiver slack', () => {
    const [slack] = configOf('', { SLACK_BOT_TOKEN: 'xoxb-1-2-three', SLACK_CHANNEL: '#inc' }).receivers;

    expect(slack).toMatchObject({
      kind: 'slack',
      name: 'slack',
      channel: '#inc',
      apiUrl: 'https://slack.com/api/',
    });
  });

  test('it overrides the receiver of that name and keeps the rest of it', () => {
    const yaml =
      'receivers: [{ name: slack, kind: slack, bot_token: xoxb-old-token, channel: "#a", mention: here }]';
    const [slack] = configOf(yaml, { SLACK_BOT_TOKEN: 'xoxb-new-token' }).receivers;

    expect(slack).toMatchObject({ channel: '#a', mention: 'here' });
    expect(slack?.kind === 'slack' && slack.botToken.reveal()).toBe('xoxb-new-token');
  });

  test('the signing secret serves every Slack receiver that names none', () => {
    const yaml = `receivers:
  - { name: slack, kind: slack, bot_token: xoxb-one-token, channel: "#a" }
  - { name: b, kind: slack, bot_token: xoxb-two-token, channel: "#b", signing_secret: of-its-own-0123456789, app_id: A1, teams: [T1] }
  - { name: c, kind: slack, bot_token: xoxb-two-token, channel: "#c" }`;
    const secretsOf = (env: Record<string, string>) =>
      configOf(yaml, env).receivers.map((one) => (one.kind === 'slack' ? one.signingSecret?.reveal() : null));

    expect(secretsOf({ SLACK_SIGNING_SECRET: 'shared-0123456789abc' })).toEqual([
      'shared-0123456789abc',
      'of-its-own-0123456789',
      'shared-0123456789abc',
    ]);
    expect(secretsOf({})).toEqual([undefined, 'of-its-own-0123456789', undefined]);
    expect(configOf(yaml).receivers[1]).toMatchObject({ appId: 'A1', teams: ['T1'] });
  });

  test('a signing secret without a Slack receiver, or one that is short, is a fault', () => {
    expect(faultsOf('', { SLACK_SIGNING_SECRET: 'shared-0123456789abc' })).toBe(
      'SLACK_SIGNING_SECRET: found no Slack receiver, expected SLACK_BOT_TOKEN and SLACK_CHANNEL',
    );
    expect(faultsOf('', { SLACK_SIGNING_SECRET: 'short' })).toMatch(/SLACK_SIGNING_SECRET: found 5 char/);
  });

  test('a routing key makes the receiver pagerduty', () => {
    const config = configOf('', {
      PAGERDUTY_ROUTING_KEY: KEY,
      PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:1/v2/enqueue',
    });

    expect(config.receivers).toMatchObject([
      { kind: 'pagerduty', name: 'pagerduty', eventsUrl: 'http://127.0.0.1:1/v2/enqueue' },
    ]);
  });

  test('two webhook tokens at once belong to one source, so that one can be replaced', () => {
    const { webhook } = configOf('', { WAKEWELL_WEBHOOK_TOKEN: `${TOKEN},${TOKEN}-new` }).tokens;

    expect(webhook.map(({ name, token }) => [name, token.reveal()])).toEqual([
      ['alertmanager', TOKEN],
      ['alertmanager', `${TOKEN}-new`],
    ]);
  });

  test('an empty variable is unset', () => {
    expect(configOf('port: 8000', { WAKEWELL_PORT: '', PROMETHEUS_URL: '' })).toMatchObject({
      port: 8000,
      prometheus: [],
    });
  });

  test('the environment wins over the file', () => {
    expect(configOf('port: 8000', { WAKEWELL_PORT: '8001' }).port).toBe(8001);
  });

  test.each([
    [{ WAKEWELL_PORT: '65536' }, 'WAKEWELL_PORT: found "65536"'],
    [{ WAKEWELL_PORT: '8080 ' }, 'WAKEWELL_PORT: found "8080 "'],
    [{ WAKEWELL_PORT: 'tcp://10.0.0.1:9099' }, 'enableServiceLinks: false'],
    [{ PROMETHEUS_URL: 'prometheus:9090' }, 'PROMETHEUS_URL: found "prometheus:9090"'],
    [{ PROMETHEUS_URL: 'file:///etc/passwd' }, 'PROMETHEUS_URL: found'],
    [{ PROMETHEUS_URL: 'http://user:pass@prometheus:9090' }, 'without user and password'],
    [{ DATABASE_URL: 'postgres://localhost/wakewell' }, 'DATABASE_URL: found'],
    [{ SLACK_BOT_TOKEN: 'xoxb-1-2-three' }, 'SLACK_CHANNEL: found nothing'],
    [{ SLACK_CHANNEL: '#inc' }, 'SLACK_BOT_TOKEN: found nothing'],
    [
      { SLACK_BOT_TOKEN: 'your-token-here', SLACK_CHANNEL: '#inc' },
      'SLACK_BOT_TOKEN: found an example value',
    ],
    [{ WAKEWELL_WEBHOOK_TOKEN: 'short' }, 'WAKEWELL_WEBHOOK_TOKEN: found 5 characters'],
    [{ WAKEWELL_API_TOKEN: 'changeme' }, 'WAKEWELL_API_TOKEN: found an example value'],
    [{ WAKEWELL_LOG_LEVEL: 'loud' }, 'WAKEWELL_LOG_LEVEL: found "loud"'],
  ])('%o is refused', (env, expected) => {
    expect(faultsOf('', env)).toContain(expected);
  });

  test('a mistyped variable is a warning, because other programs may own it', () => {
    const result = readConfig({ env: { WAKEWELL_PROT: '1' } });

    expect(result).toMatchObject({
      kind: 'ok',
      warnings: expect.arrayContaining([expect.stringContaining('did you mean "WAKEWELL_PORT"')]),
    });
  });
});

describe('exposure', () => {
  test('listening beyond loopback without tokens is refused, and both are named', () => {
    expect(faultsOf('host: 0.0.0.0')).toMatch(/WAKEWELL_WEBHOOK_TOKEN .* and WAKEWELL_API_TOKEN/);
    expect(faultsOf('', { WAKEWELL_HOST: '::', WAKEWELL_WEBHOOK_TOKEN: TOKEN })).toMatch(
      /set WAKEWELL_API_TOKEN/,
    );
  });

  test('with both tokens it is allowed', () => {
    const env = { WAKEWELL_HOST: '0.0.0.0', WAKEWELL_WEBHOOK_TOKEN: TOKEN, WAKEWELL_API_TOKEN: TOKEN };

    expect(configOf('', env).host).toBe('0.0.0.0');
  });

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s needs no token', (host) => {
    expect(configOf('', { WAKEWELL_HOST: host }).host).toBe(host);
  });
});

describe('faults of the file', () => {
  test('every fault is found at once, each with its line and column', () => {
    const faults = faultsOf(`prot: 80
time_scale: -1
receivers:
  - name: oncall
    kind: pagerdutty
  - name: team
    kind: slack
    bot_token: xoxb-1-2-three
    chanel: "#inc"
timings: { query: 3 }
`);

    expect(faults.split('\n').sort()).toEqual([
      expect.stringMatching(
        /^wakewell\.yaml:10:12: timings\.query: found "3", expected a duration with its unit/,
      ),
      expect.stringMatching(/^wakewell\.yaml:1:1: unknown field "prot"; did you mean "port"\?/),
      expect.stringMatching(/^wakewell\.yaml:2:1: time_scale: found "-1", expected a number above 0/),
      expect.stringMatching(
        /^wakewell\.yaml:5:5: receivers\[0\]\.kind: found "pagerdutty".*did you mean "pagerduty"\?/,
      ),
      expect.stringMatching(/^wakewell\.yaml:6:5: receivers\[1\]\.channel: found nothing, expected text/),
      expect.stringMatching(
        /^wakewell\.yaml:9:5: receivers\[1\]: unknown field "chanel"; did you mean "channel"\?/,
      ),
    ]);
  });

  test.each([
    ['a: &x 1\nb: *x', 'found the alias'],
    ['__proto__: 1', '"__proto__" is not allowed'],
    ['port: 1\nport: 2', 'same key twice'],
    ['port:\n\t- 1', 'found a tab'],
    ['port: !!js/function "x"', 'found a tag'],
    ['port: 1\n---\nport: 2', 'found 2 YAML documents'],
    ['- a list', 'found a list of 1, expected a map'],
    ['timings: { query: 5min }', 'expected a duration'],
    ['timings: { query: -1s }', 'expected a duration'],
    ['routes: [{ receivers: [nobody] }]', 'no receiver is called "nobody"'],
    ['routes: [{ matchers: ["severity"], receivers: [log] }]', 'severity: no matcher'],
    ['routes: [{ receivers: [log], continue: yes }]', 'expected true or false'],
    ['thresholds: { kv_cache_utilisation.full: 0.9 }', 'did you mean "kv_cache_utilization.full"'],
    ['slo: { ttft_p99: 2 }', 'did you mean "ttft_p99_seconds"'],
    ['receivers: [{ name: a, kind: log }, { name: a, kind: log }]', 'a second receiver called "a"'],
    [
      'receivers: [{ name: pager, kind: pagerduty, routing_key: R0123456789, ladder: [jurnal] }, { name: journal, kind: log }]',
      'receivers[0].ladder: no receiver is called "jurnal"; did you mean "journal"?',
    ],
    [
      'receivers: [{ name: pager, kind: pagerduty, routing_key: R0123456789, ladder: [pager] }]',
      'receivers[0].ladder: "pager" is told already',
    ],
    [
      'receivers: [{ name: pager, kind: pagerduty, routing_key: R0123456789, events_per_minute: 0.5 }]',
      'expected a whole number above 0',
    ],
    ['receivers: [{ name: "a b", kind: log }]', 'expected a name'],
    ['scope_labels: ["a-b"]', 'expected a label name'],
    ['severity_mapping: { page: urgent }', 'expected critical, warning, info'],
    ['public_url: ftp://x', 'expected an address'],
    ['tokens: { webhook: [{ name: am, token: 12345 }] }', 'found something that is not text'],
  ])('%j is refused', (yaml, expected) => {
    expect(faultsOf(yaml)).toContain(expected);
  });

  test('faults of the environment are told together with those of the file', () => {
    const faults = faultsOf('prot: 1', { WAKEWELL_PORT: 'x', SLACK_BOT_TOKEN: 'xoxb-1-2-three' });

    expect(faults).toContain('unknown field "prot"');
    expect(faults).toContain('WAKEWELL_PORT');
    expect(faults).not.toContain('SLACK_CHANNEL');
  });
});

describe('references to the environment', () => {
  test('are filled in, with a default where one is given', () => {
    const yaml = `host: "\${HOST_IP:-127.0.0.1}"\nport: \${A_PORT}\npublic_url: https://\${NAME}/w`;

    expect(configOf(yaml, { A_PORT: '7000', NAME: 'wake.example' })).toMatchObject({
      host: '127.0.0.1',
      port: 7000,
      publicUrl: 'https://wake.example/w',
    });
  });

  test('an unset one is a fault with its place and the nearest name', () => {
    expect(faultsOf(`port: 1\nhost: \${MY_HOTS}`, { MY_HOST: '127.0.0.1' })).toBe(
      'wakewell.yaml:2:7: the environment variable MY_HOTS is not set; did you mean "MY_HOST"?',
    );
  });

  test('a value cannot become structure', () => {
    expect(faultsOf(`host: \${EVIL}`, { EVIL: '127.0.0.1\nport: 1' })).toContain(
      'expected an address to listen on',
    );
  });

  test('a doubled dollar stands for itself', () => {
    const yaml = `receivers: [{ name: slack, kind: slack, bot_token: xoxb-1-2-three, channel: "$\${x}" }]`;

    expect(configOf(yaml).receivers[0]).toMatchObject({ channel: `\${x}` });
  });
});

describe('secrets', () => {
  const marker = 'xoxb-MARKER-0123456789';

  test('never print, whichever way the configuration is printed', () => {
    const config = configOf('', {
      SLACK_BOT_TOKEN: marker,
      SLACK_CHANNEL: '#inc',
      WAKEWELL_API_TOKEN: 'MARKER-0123456789abcdef',
      PAGERDUTY_ROUTING_KEY: 'MARKERMARKERMARKER',
    });
    const printed = `${JSON.stringify(config)} ${inspect(config, { depth: 9, showHidden: true })} ${config.receivers.map((one) => (one.kind === 'slack' ? `${one.botToken}` : ''))}`;

    expect(printed).not.toContain('MARKER');
    expect(printed).toContain('[secret]');
  });

  test('are not repeated in faults', () => {
    expect(faultsOf('', { SLACK_BOT_TOKEN: 'MARKER with blanks', SLACK_CHANNEL: '#x' })).not.toContain(
      'MARKER',
    );
  });

  test('a trailing newline of a secret file is cut', () => {
    const [token] = configOf('', { WAKEWELL_API_TOKEN: `${TOKEN}\n` }).tokens.api;

    expect(token?.token.reveal()).toBe(TOKEN);
  });
});

test.each([
  ['500ms', 500],
  ['5s', 5_000],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1d', 86_400_000],
  ['5', null],
  ['5min', null],
  ['', null],
  ['m', null],
  ['30m1h', null],
  ['-5s', null],
])('the duration %j is %j ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

describe('Alertmanager', () => {
  const peers = (config: Config) => config.alertmanager;

  test('one address, a list of peers, and both in the environment', () => {
    expect(peers(configOf('alertmanager: { url: "http://am:9093/" }')).urls).toEqual(['http://am:9093']);
    expect(peers(configOf('alertmanager: { url: ["http://a:1", "http://b:1", "http://a:1"] }')).urls).toEqual(
      ['http://a:1', 'http://b:1'],
    );
    expect(peers(configOf('', { ALERTMANAGER_URL: 'http://a:1, http://b:1' })).urls).toEqual([
      'http://a:1',
      'http://b:1',
    ]);
    expect(peers(configOf('')).urls).toEqual([]);
  });

  test('an address of the environment keeps the credentials of the file', () => {
    const config = peers(
      configOf('alertmanager: { url: "http://a:1", bearer_token: tok-12, receiver: llm }', {
        ALERTMANAGER_URL: 'http://b:1',
      }),
    );

    expect(config).toMatchObject({ urls: ['http://b:1'], receiver: 'llm' });
    expect(config.bearerToken?.reveal()).toBe('tok-12');
    expect(inspect(config)).not.toContain('tok-12');
  });

  test('its source is the only webhook token there is, else it must be named', () => {
    const token = (name: string) => `{ name: ${name}, token: "${TOKEN}-${name}" }`;
    const file = (tokens: string, source = '') =>
      `alertmanager: { url: "http://a:1"${source} }\ntokens: { webhook: [${tokens}] }`;

    expect(peers(configOf('alertmanager: { url: "http://a:1" }')).source).toBe('alertmanager');
    expect(peers(configOf(file(token('prod')))).source).toBe('prod');
    expect(peers(configOf(file(`${token('prod')}, ${token('dev')}`, ', source: dev'))).source).toBe('dev');
    expect(faultsOf(file(`${token('prod')}, ${token('dev')}`))).toContain(
      'alertmanager.source: no webhook token is called "alertmanager", under which its alerts would arrive (known: prod, dev)',
    );
  });

  test.each(['7', '"am:9093"', '[]', '["http://a:1", 7]'])('the address %s is a fault', (url) => {
    expect(faultsOf(`alertmanager: { url: ${url} }`)).toContain('alertmanager.url: found');
  });
});

describe('backup and retention', () => {
  test('have defaults, and directories are relative to the file', () => {
    expect(configOf('')).toMatchObject({
      backup: { schedule: '23 * * * *', directory: null, keep: 12 },
      retention: {
        incidentsMs: 365 * 86_400_000,
        recordingsMs: 90 * 86_400_000,
        receiptsMs: 14 * 86_400_000,
      },
    });
    const config = configOf(
      'backup: { schedule: off, directory: /mnt/safe, keep: 3 }\nretention: { receipts: 2d }',
    );
    expect(config.backup).toEqual({ schedule: null, directory: '/mnt/safe', keep: 3 });
    expect(config.retention.receiptsMs).toBe(2 * 86_400_000);
  });

  test('say what they expect', () => {
    expect(faultsOf('backup: { schedule: hourly }')).toContain('expected five fields of cron in UTC');
    expect(faultsOf('backup: { schedule: "61 * * * *" }')).toContain('expected five fields of cron in UTC');
    expect(faultsOf('backup: { keep: 0 }')).toContain('expected a whole number above 0');
    expect(faultsOf('retention: { incidents: 1h }')).toContain('expected a duration of at least 1d');
  });
});

describe('maintenance windows', () => {
  test('once and weekly, with their zone', () => {
    const { maintenance } = configOf(
      `maintenance:
  - { matchers: ['a="b"'], from: "2026-11-26T02:00:00+01:00", until: "2026-11-26T06:00:00Z", comment: x }
  - { matchers: ['a="b"'], weekly: { days: [sun, Sat], at: "02:30", for: 4h, timezone: Europe/Vienna }, comment: y }`,
    );

    expect(maintenance.map(({ when }) => when)).toEqual([
      { fromMs: Date.UTC(2026, 10, 26, 1), untilMs: Date.UTC(2026, 10, 26, 6) },
      { days: [0, 6], atMinutes: 150, forMs: 4 * 3_600_000, timeZone: 'Europe/Vienna' },
    ]);
  });

  test.each([
    [
      '{ matchers: [], from: "2026-11-26T02:00:00Z", until: "2026-11-26T06:00:00Z", comment: x }',
      'silence everything',
    ],
    [
      '{ matchers: [\'a="b"\'], from: "2026-11-26T06:00:00Z", until: "2026-11-26T02:00:00Z", comment: x }',
      'from before until',
    ],
    ['{ matchers: [\'a="b"\'], comment: x }', 'from before until'],
    [
      '{ matchers: [\'a="b"\'], from: "2026-11-26T06:00:00", until: "2026-11-27T02:00:00Z", comment: x }',
      'a time with its zone',
    ],
    ['{ matchers: [\'a="b"\'], weekly: { days: [sunday], at: "02:00", for: 4h }, comment: x }', 'sun, mon'],
    ['{ matchers: [\'a="b"\'], weekly: { days: [sun], at: "24:00", for: 4h }, comment: x }', 'a time of day'],
    [
      '{ matchers: [\'a="b"\'], weekly: { days: [sun], at: "02:00", for: 4h, timezone: Vienna }, comment: x }',
      'a time zone',
    ],
    ['{ matchers: [nonsense], weekly: { days: [sun], at: "02:00", for: 4h }, comment: x }', 'no matcher'],
  ])('%s is a fault', (window, says) => {
    expect(faultsOf(`maintenance:\n  - ${window}`)).toContain(says);
  });
});

test('logs are searched where loki says, by the label of a namespace unless others are named', () => {
  const read = (yamlText: string) => {
    const result = readConfig({ yamlText, env: {} });
    if (result.kind === 'faulty') throw new Error(result.faults.join('\n'));
    return result.config.loki;
  };

  expect(read('port: 9100\n')).toBeUndefined();
  expect(read('loki: { url: "http://loki:3100" }\n')).toEqual({
    url: 'http://loki:3100',
    headers: {},
    labels: { namespace: 'namespace' },
  });
  expect(read('loki: { url: "http://loki:3100", labels: { cluster: k8s } }\n')?.labels).toEqual({
    cluster: 'k8s',
  });
  expect(() => read('loki: { headers: { a: b } }\n')).toThrow(/loki/);
});
