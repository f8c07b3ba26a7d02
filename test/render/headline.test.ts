import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import type { IncidentView } from '../../src/domain/incident-view.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { compose, headline, MAX_HEADLINE } from '../../src/render/headline.js';
import { renderPagerDutyTrigger } from '../../src/render/page.js';
import { symptomOf } from '../../src/render/symptom.js';
import {
  aDiagnosis,
  aFinding,
  anEnrichment,
  anIncidentAlert,
  aResolvedView,
  aVerdict,
  aView,
  fourFindings,
} from '../support/a-view.js';

/** Text an alert rule or a stranger could bring along. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom(
    '<!channel>',
    '<@U123>',
    '<https://evil|runbook>',
    '\u202Edetrever',
    'a\nb\r\nc',
    '👨‍👩‍👧‍👦'.repeat(40),
    'e\u0301\u0301\u0301\u0301'.repeat(50),
    '*_~`',
    '\u0000\u001b[2J',
    '\ud800',
    'x'.repeat(5000),
    '   ',
    '…',
    '....',
  ),
);

const pageOf = (view: IncidentView) =>
  renderPagerDutyTrigger(view, { routingKey: 'r'.repeat(32), publicUrl: null });

describe('the headline', () => {
  test('says severity, symptom with number, place, objective, cause and id', () => {
    expect(headline(aView())).toBe(
      'CRIT TTFT p99 11.8s llama-70b/prod-us (SLO 2s). KV full 97% on 7 of 8. INC-412',
    );
  });

  test('the first 45 characters carry severity, number and place', () => {
    const glance = headline(aView()).slice(0, 45);
    expect(glance).toContain('CRIT');
    expect(glance).toContain('11.8s');
    expect(glance).toContain('llama-70b/prod-us');
  });

  test('says that the cause is unclear', () => {
    const verdict = aVerdict({ cause: null, short: 'KV, queue, GPU all OK', confidence: 'none' });
    expect(headline(aView({ diagnosis: aDiagnosis({ verdict }) }))).toContain(
      '. Cause unclear: KV, queue, GPU all OK. INC-412',
    );
  });

  test('says why nothing was diagnosed', () => {
    const findings = fourFindings().map((finding) => ({
      ...finding,
      status: 'unknown' as const,
      says: 'not seen: Prometheus unreachable (connect ECONNREFUSED 127.0.0.1:9)',
      numbers: {},
    }));
    const diagnosis = aDiagnosis({
      findings,
      enrichment: anEnrichment({ valueNow: null }),
      verdict: aVerdict({ cause: null }),
    });
    expect(headline(aView({ diagnosis }))).toBe(
      'CRIT TTFT p99 >5s llama-70b/prod-us (SLO 2s). Not diagnosed: Prometheus unreachable. INC-412',
    );
  });

  test('says that the diagnosis still runs', () => {
    expect(headline(aView({ diagnosis: null }))).toContain('Diagnosis still running. INC-412');
  });

  test('a resolved incident is OK with the present number and who had it', () => {
    expect(headline(aResolvedView())).toBe(
      'OK TTFT p99 1.3s llama-70b/prod-us. Resolved after 31m, acked by mia. INC-412',
    );
  });

  test('a resolved incident does not show the number of when it fired', () => {
    expect(headline(aResolvedView({ afterDiagnosis: null }))).toContain('OK TTFT p99 llama-70b/prod-us.');
  });

  test('takes the number from a finding, then from an annotation', () => {
    const queue = { alertName: 'LLMQueueBuildup', severity: 'warning' as const };
    const finding = aFinding({ signal: 'queue_depth', numbers: { max: 412 } });
    expect(
      headline(
        aView({
          incident: queue,
          diagnosis: aDiagnosis({ enrichment: anEnrichment({ valueNow: null }), findings: [finding] }),
        }),
      ),
    ).toContain('WARN queue 412 waiting');
    const alerts = [anIncidentAlert({ annotations: labelsFrom([['description', 'p99 is 7.31s for 5m']]) })];
    expect(headline(aView({ diagnosis: null, alerts }))).toContain('CRIT TTFT p99 7.31s');
  });

  test('an alert that is not known is called by its name', () => {
    const view = aView({ incident: { alertName: 'NodeDiskFull' }, diagnosis: null });
    expect(headline(view)).toMatch(/^CRIT NodeDiskFull llama-70b\/prod-us\. /);
  });

  test('a long model name is cut, the cluster is not', () => {
    const scope = labelsFrom([
      ['model', 'meta-llama/Llama-3.3-70B-Instruct-FP8-dynamic'],
      ['cluster', 'prod-us'],
    ]);
    const line = headline(aView({ incident: { scope } }));
    expect(line.slice(0, 45)).toMatch(/\/prod-us/);
    expect(line).toContain('11.8s');
  });

  test('whatever the text, it is one line within the budget that keeps severity, number and id', () => {
    fc.assert(
      fc.property(
        hostile,
        hostile,
        hostile,
        hostile,
        hostile,
        fc.integer({ min: 1, max: 1e15 }),
        (name, model, cluster, short, acker, id) => {
          const base = {
            id,
            alertName: name,
            scope: labelsFrom([
              ['model', model],
              ['cluster', cluster],
            ]),
          };
          const diagnosis = aDiagnosis({ verdict: aVerdict({ short }) });
          const lines = [
            headline(aView({ incident: base, diagnosis })),
            headline(aResolvedView({ incident: { ...base, acknowledgedBy: acker } })),
            headline(aView({ incident: { ...base, alertName: 'LLMHighTTFT' }, diagnosis })),
          ];
          for (const line of lines) {
            expect(line.length).toBeLessThanOrEqual(MAX_HEADLINE);
            expect(line).toMatch(/^(CRIT|OK) \S/);
            expect(line.endsWith(` INC-${id}`)).toBe(true);
            expect(line.isWellFormed()).toBe(true);
            // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left.
            expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069<>]/);
          }
          expect(lines[2]?.slice(0, 45)).toContain('11.8s');
        },
      ),
      { numRuns: 300 },
    );
  });

  test('what we say of ourselves is said, whatever a check of the fleet found', () => {
    const view = aView({
      incident: { id: 3, source: 'wakewell', alertName: 'WakewellLate', scope: labelsFrom([]) },
      alerts: [
        anIncidentAlert({
          name: 'WakewellLate',
          annotations: labelsFrom([['summary', '2 incidents that nobody was told of,\nthe oldest for 4m']]),
        }),
      ],
    });

    expect(headline(view)).toBe(
      'CRIT WakewellLate unknown scope. 2 incidents that nobody was told of, the oldest for 4m. INC-3',
    );
    expect(pageOf(view).payload.custom_details?.['alert says']).toBe(
      '2 incidents that nobody was told of, the oldest for 4m',
    );
  });

  test('a page says what the rule of its alert says', () => {
    expect(pageOf(aView()).payload.custom_details?.['alert says']).toBe('TTFT p99 is above 5 s');
    const mute = aView({ alerts: [anIncidentAlert({ annotations: labelsFrom([['summary', ' \u200b']]) })] });
    expect(pageOf(mute).payload.custom_details).not.toHaveProperty('alert says');
  });

  test('a cause is cut between graphemes', () => {
    const line = compose({
      severity: 'CRIT',
      symptom: { label: 'TTFT p99', value: '11.8s' },
      place: { model: 'm', cluster: 'c' },
      slo: null,
      cause: '🇩🇪'.repeat(60),
      id: 'INC-1',
    });
    expect(line.length).toBeLessThanOrEqual(MAX_HEADLINE);
    expect(
      [...new Intl.Segmenter('en').segment(line)]
        .map((one) => one.segment)
        .filter((one) => /\p{RI}/u.test(one) && one !== '🇩🇪'),
    ).toEqual([]);
  });
});

test.each(ALERTS.map((alert) => [alert.name, alert.condition.signal] as const))(
  '%s is told by its own signal',
  (alertName, signal) => {
    expect(symptomOf(aView({ incident: { alertName } }), aDiagnosis()).signal).toBe(signal);
  },
);

test('objectives of the configuration replace the defaults one by one', () => {
  expect(headline(aView(), { slo: { ttft_p99_seconds: 1.5 } })).toContain('(SLO 1.5s)');
  expect(headline(aView(), { slo: { error_ratio: 0.001 } })).toContain('(SLO 2s)');
});
