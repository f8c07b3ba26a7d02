/** The playbook for people: which entries there are, and one entry as the text a runbook would be. */

import type { Matcher } from '../domain/labels.js';
import type { PlaybookCause, PlaybookEntry, PlaybookFix, PlaybookStep } from '../playbook/schema.js';
import { clean } from '../render/neutralise.js';
import { renderPage } from './layout.js';
import { cleanBlock } from './text.js';

/** The page at `/playbooks`. */
export function renderPlaybookList({ entries }: { readonly entries: readonly PlaybookEntry[] }): string {
  return renderPage({
    title: 'Playbooks',
    section: 'playbooks',
    children: (
      <>
        <h1>Playbooks</h1>
        <p class="muted">
          What is checked for which alert. An alert without an entry of its own gets the default one.
        </p>
        {entries.length === 0 ? (
          <div class="card">
            <p class="big">No playbook is loaded.</p>
            <p>
              Run <code>npm run wakewell -- check</code>: it says what is wrong with each file.
            </p>
          </div>
        ) : (
          <ul class="list">
            {entries.map((entry) => (
              <li key={entry.id}>
                <a href={`/playbooks/${encodeURIComponent(entry.id)}`}>
                  <span class="what">{clean(entry.title)}</span>{' '}
                  <span class="muted">{entry.isDefault ? 'every other alert' : clean(alertsOf(entry))}</span>
                  <br />
                  <span class="small muted">
                    {entry.steps.length} checks, {entry.causes.length} causes
                  </span>
                </a>
              </li>
            ))}
          </ul>
        )}
      </>
    ),
  });
}

export type PlaybookPageProps = {
  readonly entry: PlaybookEntry;
  readonly alertName: string | null;
  readonly why: string | null;
};

/** The page at `/playbooks/high-ttft` and `/playbooks/LLMHighTTFT`. */
export function renderPlaybookPage({ entry, alertName, why }: PlaybookPageProps): string {
  return renderPage({
    title: `${entry.title} · playbook`,
    section: 'playbooks',
    children: (
      <>
        <p>
          <a href="/playbooks">‹ Playbooks</a>
        </p>
        <h1>{clean(entry.title)}</h1>
        <p class="muted">
          {entry.isDefault
            ? 'Serves every alert without an entry of its own.'
            : `Serves ${clean(alertsOf(entry))}.`}
          {alertName !== null && entry.isDefault ? ` ${clean(why ?? '')}.` : ''}
        </p>
        <div class="columns">
          <div>
            {entry.symptoms.length === 0 ? null : (
              <section class="card">
                <h2>What it means</h2>
                <ul>
                  {entry.symptoms.map((symptom) => (
                    <li key={symptom}>{clean(symptom)}</li>
                  ))}
                </ul>
              </section>
            )}
            <section class="card">
              <h2>Causes</h2>
              {entry.causes.map((cause) => (
                <Cause key={cause.id} cause={cause} />
              ))}
              {entry.unclear === null ? null : (
                <p>
                  <span class="muted">If the cause stays unclear: </span>
                  {clean(entry.unclear)}
                </p>
              )}
            </section>
          </div>
          <div>
            <section class="card">
              <h2>Checks, in this order</h2>
              <ol>
                {entry.steps.map((step) => (
                  <Step key={step.id} step={step} />
                ))}
              </ol>
            </section>
            <p class="small muted">
              From <code>{clean(entry.file.split('/').slice(-2).join('/'))}</code>
            </p>
          </div>
        </div>
      </>
    ),
  });
}

function Step({ step }: { readonly step: PlaybookStep }) {
  const { read } = step;
  const what =
    read.kind === 'signal'
      ? `${read.signal}${read.per === null ? '' : ` / ${read.per}`}`
      : read.kind === 'query'
        ? read.query
        : read.kind === 'logs'
          ? `logs: ${Object.keys(read.patterns).join(', ')}`
          : `by hand: ${read.look}`;
  return (
    <li id={step.id}>
      {clean(step.title)} <span class="small muted">{clean(what)}</span>
    </li>
  );
}

function Cause({ cause }: { readonly cause: PlaybookCause }) {
  return (
    <details id={cause.id}>
      <summary>{clean(cause.says)}</summary>
      <Requirements title="Needs" requirements={cause.requires} />
      <Requirements title="Ruled out by" requirements={cause.refutedBy} />
      {cause.fixes.length === 0 ? null : (
        <>
          <h3>Do this</h3>
          <ol>
            {cause.fixes.map((fix) => (
              <FixText key={fix.do} fix={fix} />
            ))}
          </ol>
        </>
      )}
      {cause.doNot.length === 0 ? null : (
        <>
          <h3>Do not</h3>
          <ul>
            {cause.doNot.map((wrong) => (
              <li key={wrong.fix}>
                {clean(wrong.fix)}: <span class="muted">{clean(wrong.because)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {cause.explains.length === 0 ? null : (
        <p class="small muted">Explains {cause.explains.map((name) => clean(name)).join(', ')}</p>
      )}
    </details>
  );
}

function Requirements({
  title,
  requirements,
}: {
  readonly title: string;
  readonly requirements: PlaybookCause['requires'];
}) {
  if (requirements.length === 0) return null;
  return (
    <p class="small">
      <span class="muted">{title}: </span>
      {requirements
        .map(({ anyOf }) => anyOf.map((one) => `${one.step} ${one.text}`).join(' or '))
        .map((text) => clean(text))
        .join('; ')}
    </p>
  );
}

function FixText({ fix }: { readonly fix: PlaybookFix }) {
  return (
    <li>
      {clean(fix.do)}
      {fix.expect === null ? null : <span class="small muted"> Expect: {clean(fix.expect)}</span>}
      {Object.entries(fix.command).map(([engine, command]) => (
        <pre key={engine}>
          <code>
            {engine === 'any' ? '' : `# ${clean(engine)}\n`}
            {cleanBlock(command)}
          </code>
        </pre>
      ))}
    </li>
  );
}

/** "LLMHighTTFT, LLMElevatedTTFT; engine=vllm". */
function alertsOf(entry: PlaybookEntry): string {
  return entry.match.map((alternatives) => alternatives.map((one) => matcherText(one)).join(', ')).join('; ');
}

function matcherText(matcher: Matcher): string {
  if (matcher.name === 'alertname' && matcher.operator === '=') return matcher.value;
  return `${matcher.name}${matcher.operator}${matcher.value}`;
}
