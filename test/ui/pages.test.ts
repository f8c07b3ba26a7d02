import { describe, expect, test } from 'vitest';
import { labelsFrom } from '../../src/domain/labels.js';
import { createPageRenderers } from '../../src/ui/pages.js';
import { STYLESHEET } from '../../src/ui/stylesheet.js';
import { safeHref } from '../../src/ui/text.js';
import {
  aDiagnosis,
  aFinding,
  anIncident,
  anIncidentAlert,
  aResolvedView,
  aVerdict,
  aView,
  FIRED_AT,
} from '../support/a-view.js';

const pages = createPageRenderers();
const nowMs = FIRED_AT + 65_000;
const incidentPage = (view = aView(), notice: string | null = null) =>
  pages.incidentPage({ view, explanation: null, notifications: [], notice, actor: null, nowMs });
/** Text as it is read: tags out, entities back, blanks collapsed. */
const textOf = (html: string) =>
  html
    .replace(/<head>[\s\S]*?<\/head>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

/** Fails unless the texts stand in this order. */
function expectInOrder(text: string, parts: readonly string[]): void {
  const found = parts.map((part) => text.indexOf(part));
  expect(found, parts.join(' … ')).not.toContain(-1);
  expect(found).toEqual([...found].sort((a, b) => a - b));
}

describe('the incident page', () => {
  test('answers in this order: how bad, what, what to do and not in a line, the reasons, the checks, the story', () => {
    expectInOrder(textOf(incidentPage()), [
      '● CRITICAL INC-412',
      'TTFT p99 11.8s on llama-70b/prod-us',
      'Likely cause',
      'KV cache full, prefill waits for blocks',
      'Do first: Shed prompts over 16k tokens',
      'Do NOT: Halve max_batch_size',
      'Why:',
      'Do not ✗',
      'because',
      'Do this',
      'Checks',
      '1 KV cache',
      '2 Queue depth',
      '3 Prompt length',
      '4 GPU',
      'Timeline',
    ]);
  });

  test('of a folded incident leads to where it goes on, and offers nothing to press', () => {
    const html = incidentPage(aResolvedView({ alerts: [], alertCount: 0, incident: { foldedInto: 377 } }));

    expect(textOf(html)).toContain('⇢ FOLDED INC-412');
    expect(html).toContain('It goes on as <a href="/i/377">INC-377</a>');
    expect(html).not.toContain('/i/412/reopen');
  });

  test('shows each check with symbol, word, value, limit, query and worst workers', () => {
    const text = textOf(incidentPage());

    expect(text).toContain('✗ FAIL 1 KV cache 97% | limit 90%');
    expect(text).toContain('decode-3 97% ✗ FAIL');
    expect(text).toContain('max by (worker) (vllm:kv_cache_usage_perc{model_name="llama-70b"})');
    expect(text).toContain('✓ OK 4 GPU');
  });

  test('says nothing twice: a sentence that only repeats the number, sixteen equal reasons', () => {
    const measured = aFinding({ title: 'TTFT', value: '19.7 s', limit: '2 s', says: '19.7 s, limit 2 s' });
    const blind = ['Queue', 'GPU'].map((title) => aFinding({ title, status: 'unknown', says: 'no answer' }));
    const view = aView({
      diagnosis: aDiagnosis({
        findings: [measured, ...blind],
        verdict: aVerdict({ evidence: [], unseen: ['Queue: no answer', 'GPU: no answer'] }),
      }),
    });

    const text = textOf(incidentPage(view));

    expect(text).toContain('19.7 s | limit 2 s');
    expect(text).not.toContain('19.7 s, limit 2 s');
    expect(text).toContain('Could not see Queue · GPU: no answer');
  });

  test('gives the alert’s own value its unit where it is known', () => {
    const diagnosis = aDiagnosis();
    const { enrichment } = diagnosis;
    const workers = ['w-0', 'w-1'];
    const around = { ...enrichment, valueNow: 19.71, workersAffected: workers, workersTotal: 2 };
    const view = (alertName: string) =>
      aView({ incident: { alertName }, diagnosis: aDiagnosis({ enrichment: around }) });

    expect(textOf(incidentPage(view('LLMHighTTFT')))).toContain('its value now 19.7s');
    expect(textOf(incidentPage(view('GatewaySlow')))).toContain('its value now 19.71');
    expect(textOf(incidentPage(view('GatewaySlow')))).toContain('workers affected all 2');
  });

  test('says what could not be seen, and shows no number for it', () => {
    const finding = aFinding({
      status: 'unknown',
      says: 'no series for vllm:kv_cache_usage_perc',
      value: '97%',
      workers: [],
      trend: [],
    });
    const view = aView({
      diagnosis: aDiagnosis({ findings: [finding], verdict: aVerdict({ unseen: ['KV cache: renamed'] }) }),
    });
    const text = textOf(incidentPage(view));

    expect(text).toContain('? UNKNOWN 1 KV cache');
    expect(text).toContain('Could not see');
    expect(text).not.toContain('97% | limit');
  });

  test('asks again by itself only while the diagnosis runs', () => {
    expect(incidentPage(aView({ diagnosis: null }))).toContain('http-equiv="refresh"');
    expect(incidentPage(aView({ diagnosis: null }))).toContain('Diagnosis running');
    expect(incidentPage()).not.toContain('http-equiv="refresh"');
  });

  test('an unclear cause reads as a verdict, not as a failure', () => {
    const verdict = aVerdict({
      cause: null,
      confidence: 'none',
      says: 'Cause unclear: look at the router',
      fixes: [],
    });
    const text = textOf(incidentPage(aView({ diagnosis: aDiagnosis({ verdict }) })));

    expect(text).toContain('Cause unclear no confidence look at the router');
    expect(text).not.toContain('Do this');
  });

  test('a resolved one shows the check after the resolve and no buttons', () => {
    const html = incidentPage(aResolvedView());

    expect(textOf(html)).toContain('✓ RESOLVED INC-412');
    expect(textOf(html)).toContain('After the resolve');
    expect(html).not.toContain('/i/412/acknowledge');
    expect(html).toContain('<title>✓ INC-412');
  });

  test('the resolve button carries the revision that was seen', () => {
    const html = incidentPage(aView({ incident: { revision: 7 } }));

    expect(html).toContain('<input type="hidden" name="revision" value="7"/>');
    expect(html).toContain('formaction="/i/412/resolve"');
  });

  test('keeps the line breaks of a command', () => {
    const [fix] = aVerdict().fixes;
    const verdict = aVerdict({
      fixes: [{ ...(fix as NonNullable<typeof fix>), command: 'vllm serve \\\n  --x 1' }],
    });

    expect(incidentPage(aView({ diagnosis: aDiagnosis({ verdict }) }))).toContain('vllm serve \\\n  --x 1');
  });
});

describe('hostile text', () => {
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u0000';

  test('stays text wherever it comes from', () => {
    const view = aView({
      incident: {
        alertName: evil,
        scope: labelsFrom([['model', evil]]),
        acknowledgedBy: evil,
        state: 'acknowledged',
        severityNote: evil,
      },
      alerts: [
        anIncidentAlert({
          name: evil,
          labels: labelsFrom([[evil, evil]]),
          annotations: labelsFrom([['summary', evil]]),
        }),
      ],
      timeline: [
        { id: 1, incidentId: 412, atMs: FIRED_AT, kind: 'note', text: evil, actor: evil, via: evil },
      ],
      diagnosis: aDiagnosis({
        entryId: evil,
        findings: [
          aFinding({
            says: evil,
            title: evil,
            query: evil,
            workers: [{ worker: evil, value: 1, fails: true }],
          }),
        ],
        verdict: aVerdict({ says: evil, unseen: [evil], wrongFixes: [{ fix: evil, because: evil }] }),
      }),
      pagedReceivers: [evil],
    });
    const item = {
      ...anIncident(view.incident),
      alertCount: 1,
      firingCount: 1,
      verdictShort: evil,
      verdictSays: evil,
      confidence: 'high' as const,
    };
    const documents = [
      incidentPage(view),
      pages.incidentList({
        items: [item],
        recentlyResolved: [],
        counts: { open: 1, acknowledged: 0, resolved: 0 },
        query: { q: evil, limit: 50 },
        nextCursor: evil,
        nowMs,
      }),
      pages.errorPage({ status: 404, title: 'No such thing', detail: evil }),
    ];

    for (const html of documents) {
      const withoutValues = html.replace(/"[^"]*"/g, '""');
      expect(withoutValues).not.toMatch(/<script|<img|\u202e|\0/);
      expect(withoutValues).not.toMatch(/<[a-z][^<>]*\son\w+=/);
      expect(html).toContain('&lt;script');
    }
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    ' javascript:x',
    '//evil',
    'ftp://x',
    '',
  ])('the address %j is no link', (url) => {
    expect(safeHref(url)).toBeNull();
    expect(incidentPage(aView({ alerts: [anIncidentAlert({ generatorUrl: url })] }))).not.toMatch(
      /href="(?:javascript|data:text|vbscript|ftp)/,
    );
  });

  test('a web address is a link that shows its host', () => {
    const html = incidentPage(
      aView({ alerts: [anIncidentAlert({ generatorUrl: 'https://prom.example/graph?g0=x' })] }),
    );

    expect(html).toContain('rel="noopener noreferrer nofollow"');
    expect(textOf(html)).toContain(
      'The rule in Prometheus ( prom.example )'.replace(/\( | \)/g, (m) => m.trim()),
    );
  });
});

describe('the list', () => {
  const item = (over: Parameters<typeof anIncident>[0]) => ({
    ...anIncident(over),
    alertCount: 1,
    firingCount: 1,
    verdictShort: null,
    verdictSays: null,
    confidence: null,
  });
  const list = (items: ReturnType<typeof item>[], query: object = {}) =>
    pages.incidentList({
      items,
      recentlyResolved: [],
      counts: { open: items.length, acknowledged: 0, resolved: 0 },
      query: { limit: 50, ...query },
      nextCursor: null,
      nowMs,
    });

  test('shows what needs a human first', () => {
    const html = list([
      item({ id: 1, severity: 'warning' }),
      item({ id: 2, state: 'acknowledged' }),
      item({ id: 3, openedAtMs: FIRED_AT - 60_000 }),
      item({ id: 4 }),
    ]);

    expectInOrder(textOf(html), ['INC-4', 'INC-3', 'INC-2', 'INC-1']);
    expect(html).toContain('<title>(4) Wakewell</title>');
  });

  test('when empty says what to do next', () => {
    expect(textOf(list([]))).toContain('npm run wakewell -- fire LLMHighTTFT');
    expect(textOf(list([], { q: 'nothing like it' }))).toContain('No incident fits this filter.');
  });
});

describe('the palette', () => {
  /** WCAG 2.2 relative luminance. */
  const luminance = (hex: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string) => {
    const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const themes = [...STYLESHEET.matchAll(/--page: (#\w{6})[\s\S]*?--code: (#\w{6});/g)].map(([block]) =>
    Object.fromEntries(
      [...block.matchAll(/--(\w+): (#\w{6})/g)].map(([, name = '', value = '']) => [name, value]),
    ),
  );

  test.each([0, 1])('of theme %i is readable: every word at least 4.5 on page and card', (index) => {
    const theme = themes[index] ?? {};
    for (const name of ['text', 'muted', 'link', 'critical', 'warning', 'ok', 'unknown']) {
      for (const ground of ['page', 'card']) {
        expect(contrast(theme[name] ?? '', theme[ground] ?? ''), `${name} on ${ground}`).toBeGreaterThan(4.5);
      }
    }
    expect(contrast('#ffffff', theme.button ?? '')).toBeGreaterThan(4.5);
  });
});
