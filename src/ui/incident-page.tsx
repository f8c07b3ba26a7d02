/** One incident. The order answers in turn: how bad, what is it, what do I do, can I trust it, what happened since. */

import type { IncidentView } from '../domain/incident-view.js';
import type { Notification } from '../domain/notification.js';
import type { Explanation } from '../domain/reasons.js';
import { type CardModel, cardModel } from '../render/card-model.js';
import { minutesBetween } from '../render/duration.js';
import type { SloLookup } from '../render/headline.js';
import { clean, cut } from '../render/neutralise.js';
import { presentDiagnosis } from '../render/present-diagnosis.js';
import { symptomOf } from '../render/symptom.js';
import { AroundCard } from './around-card.js';
import { ChecksCard } from './checks-card.js';
import { ExplainCard } from './explain-card.js';
import { Actions, NoteCard, SilenceCard } from './incident-forms.js';
import { renderPage } from './layout.js';
import { MembersCard } from './members-card.js';
import { AlertsCard, MessagesCard, StoryCard } from './story-card.js';
import { Badge, stateOf, Time } from './text.js';
import { AfterCard, DoNotCard, FixesCard, UnseenCard, VerdictCard } from './verdict-card.js';

export type IncidentPageProps = {
  readonly view: IncidentView;
  readonly explanation: Explanation | null;
  readonly notifications: readonly Notification[];
  readonly notice: string | null;
  readonly actor: string | null;
  readonly nowMs: number;
};

/** While the first diagnosis runs the page asks again; afterwards a typed note would be lost. */
const REFRESH_WHILE_RUNNING_SECONDS = 3;

/** The page at `/i/412`. */
export function renderIncidentPage(props: IncidentPageProps, slo: SloLookup = {}): string {
  const { view, explanation, notifications, notice, actor, nowMs } = props;
  const { incident } = view;
  const model = cardModel(view, { slo });
  const diagnosis = presentDiagnosis(view);
  const { mark, tone } = stateOf(incident);
  const running = model.notDiagnosed?.kind === 'running' && incident.state !== 'resolved';
  return renderPage({
    title: `${mark} ${model.id} ${cut(clean(model.title), 60)}`,
    section: 'incidents',
    tone,
    ...(running ? { refreshSeconds: REFRESH_WHILE_RUNNING_SECONDS } : {}),
    children: (
      <>
        {notice === null ? null : (
          <p class="notice" role="status">
            {notice}
          </p>
        )}
        <Head view={view} model={model} nowMs={nowMs} />
        <div class="for-desk card">
          <Actions incident={incident} actor={actor} />
        </div>
        <div class="columns">
          <div>
            {view.afterDiagnosis === null ? null : <AfterCard diagnosis={view.afterDiagnosis} />}
            {view.umbrella === null ? (
              <VerdictCard diagnosis={diagnosis} notDiagnosed={model.notDiagnosed} />
            ) : (
              <SharedCard model={model} />
            )}
            {diagnosis === null ? null : (
              <>
                {/* Before what to do: on a phone nobody scrolls past four fixes to be warned. */}
                <DoNotCard verdict={diagnosis.verdict} />
                <FixesCard verdict={diagnosis.verdict} incidentId={incident.id} done={stepsDone(view)} />
                <UnseenCard diagnosis={diagnosis} />
                <ChecksCard diagnosis={diagnosis} />
              </>
            )}
            {incident.state === 'resolved' || running ? null : (
              <form class="below" method="post" action={`/i/${incident.id}/diagnoses`}>
                <button type="submit" class="quiet">
                  Run the checks again
                </button>
              </form>
            )}
          </div>
          <div>
            {diagnosis === null ? null : (
              <AroundCard enrichment={diagnosis.enrichment} unit={symptomOf(view, diagnosis).unit} />
            )}
            {explanation === null ? null : <ExplainCard explanation={explanation} nowMs={nowMs} />}
            <StoryCard timeline={view.timeline} nowMs={nowMs} />
            {view.umbrella === null ? (
              <AlertsCard view={view} nowMs={nowMs} />
            ) : (
              <MembersCard umbrella={view.umbrella} />
            )}
            <MessagesCard notifications={notifications} nowMs={nowMs} />
            <SilenceCard incident={incident} actor={actor} />
            <NoteCard incident={incident} actor={actor} />
          </div>
        </div>
        {incident.state === 'resolved' ? null : (
          <div class="thumb">
            <Actions incident={incident} actor={actor} />
          </div>
        )}
      </>
    ),
  });
}

/** Texts of the steps that were marked as done in the present firing period. */
function stepsDone({ timeline, episode }: IncidentView): readonly string[] {
  return timeline
    .filter((entry) => entry.kind === 'step_done' && entry.atMs >= episode.startedAtMs)
    .map((entry) => entry.text);
}

/** What most of an umbrella's members share. */
function SharedCard({ model }: { readonly model: CardModel }) {
  return (
    <section class="card" id="verdict">
      <h2>{model.verdict?.lead ?? 'Cause unclear'}</h2>
      <p class="big">{clean(model.verdict?.says ?? '')}</p>
      <p class="muted">{clean(model.verdict?.confidence ?? '')}</p>
    </section>
  );
}

function Head({
  view,
  model,
  nowMs,
}: {
  readonly view: IncidentView;
  readonly model: CardModel;
  readonly nowMs: number;
}) {
  const { incident, episode } = view;
  const { mark, word, tone } = stateOf(incident);
  const endMs = incident.resolvedAtMs ?? nowMs;
  const paged =
    model.pagedReceivers.length === 0
      ? null
      : `paged ${model.pagedReceivers.map((name) => clean(name)).join(', ')}`;
  const facts = [model.slo, model.alerts, paged, incident.state === 'open' ? 'not acknowledged yet' : null];
  return (
    <section class={`card edge-${tone === 'muted' ? 'unknown' : tone}`}>
      <div class="row spread">
        <span>
          <Badge tone={tone}>
            {mark} {word}
          </Badge>{' '}
          {model.id}
        </span>
        <span class="muted small">
          {incident.state === 'resolved' ? 'lasted ' : ''}
          {minutesBetween(episode.startedAtMs, endMs)} · since{' '}
          <Time atMs={episode.startedAtMs} nowMs={nowMs} />
        </span>
      </div>
      <h1>{cut(clean(model.title), 160)}</h1>
      <p class="muted">
        {facts
          .filter((fact) => fact !== null)
          .map((fact) => cut(clean(fact), 200))
          .join(' · ')}
      </p>
      {model.stateLine === null ? null : <p>{cut(clean(model.stateLine), 200)}</p>}
      {model.flapping === null ? null : (
        <p class="warning">
          {model.flapping.line}
          <span class="small muted"> · {model.flapping.advice}</span>
        </p>
      )}
      {model.notes.length === 0 ? null : (
        <p class="small unknown">{model.notes.map((note) => cut(clean(note), 200)).join(' · ')}</p>
      )}
    </section>
  );
}
