/** Serving health: a card a model, worst first. This is about the models, not about this service. */

import { placeOf } from '../domain/scope.js';
import type { HealthCheck, HealthStatus, HealthTransition, ServingReport } from '../domain/serving-health.js';
import { clean } from '../render/neutralise.js';
import { renderPage } from './layout.js';
import { Badge, Time, type Tone } from './text.js';

export type HealthPageProps = {
  readonly atMs: number;
  readonly overall: HealthStatus;
  readonly blind: string | null;
  readonly reports: readonly ServingReport[];
  readonly transitions: readonly HealthTransition[];
};

const WORDS: Readonly<
  Record<HealthStatus, { readonly mark: string; readonly word: string; readonly tone: Tone }>
> = {
  healthy: { mark: '✓', word: 'OK', tone: 'ok' },
  warning: { mark: '▲', word: 'WARNING', tone: 'warning' },
  critical: { mark: '●', word: 'CRITICAL', tone: 'critical' },
  unknown: { mark: '?', word: 'UNKNOWN', tone: 'unknown' },
};

const TITLES: Readonly<Record<HealthCheck['name'], string>> = {
  gpu: 'GPU',
  kv_cache: 'KV cache',
  latency: 'Latency',
  errors: 'Errors',
  queue: 'Queue',
};

const ORDER: readonly HealthStatus[] = ['critical', 'warning', 'unknown', 'healthy'];

/** The page at `/health`. */
export function renderHealthPage({ atMs, overall, blind, reports, transitions }: HealthPageProps): string {
  const sorted = reports.toSorted((a, b) => ORDER.indexOf(a.overall) - ORDER.indexOf(b.overall));
  const shown = sorted.filter(needsEyes);
  const fine = sorted.filter((report) => !needsEyes(report));
  return renderPage({
    title: `${WORDS[overall].mark} ${WORDS[overall].word} serving health`,
    section: 'health',
    tone: WORDS[overall].tone,
    refreshSeconds: 30,
    children: (
      <>
        <h1>
          Serving health <Status status={overall} />
        </h1>
        <p class="muted">
          As of <Time atMs={atMs} />. The overall state is the worst that is known; what is unknown stands
          beside it.
        </p>
        {blind === null ? null : (
          <div class="card edge-unknown">
            <p class="big">{clean(blind)}</p>
          </div>
        )}
        {shown.map((report) => (
          <Report key={placeOf(report.scope)} report={report} />
        ))}
        {fine.length === 0 ? null : (
          <details class="card" open={shown.length === 0}>
            <summary>
              {fine.length === 1 ? '1 model is healthy' : `${fine.length} models are healthy`}
            </summary>
            {fine.map((report) => (
              <Report key={placeOf(report.scope)} report={report} />
            ))}
          </details>
        )}
        <h2>Changes</h2>
        {transitions.length === 0 ? (
          <p class="muted">None was recorded yet.</p>
        ) : (
          <ul class="list">
            {transitions.map((one) => (
              <li key={`${one.atMs} ${placeOf(one.scope)}`}>
                <Time atMs={one.atMs} nowMs={atMs} /> {clean(placeOf(one.scope))}:{' '}
                {one.from === null ? 'first seen' : WORDS[one.from].word} → <Status status={one.to} />
                <br />
                <span class="small muted">{clean(one.says)}</span>
              </li>
            ))}
          </ul>
        )}
      </>
    ),
  });
}

function needsEyes({ overall, checks }: ServingReport): boolean {
  return overall !== 'healthy' || checks.some(({ status }) => status === 'unknown');
}

function Status({ status }: { readonly status: HealthStatus }) {
  const { mark, word, tone } = WORDS[status];
  return (
    <Badge tone={tone}>
      {mark} {word}
    </Badge>
  );
}

function Report({ report }: { readonly report: ServingReport }) {
  return (
    <section class={`card edge-${WORDS[report.overall].tone}`}>
      <h2>
        {clean(placeOf(report.scope))} <Status status={report.overall} />
      </h2>
      <ul class="list">
        {report.checks.map((check) => (
          <li key={check.name}>
            <Status status={check.status} /> <strong>{TITLES[check.name]}</strong> {clean(check.detail)}
            {check.issues.length === 0 ? null : (
              <ul class="small">
                {check.issues.map((issue) => (
                  <li key={issue}>{clean(issue)}</li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
