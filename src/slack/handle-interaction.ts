/**
 * A button was pressed or a form was sent. The act is committed, then Slack is answered, then the person is told
 * what the card does not show. What was not recorded is said to be so, and stays so.
 */

import { publicId } from '../domain/incident.js';
import type { SlackValue } from '../render/slack-value.js';
import { callerOf } from './caller.js';
import { noteForm } from './note-form.js';
import type { SlackInteraction } from './read-interaction.js';
import { resultInWords, type SpokenAct } from './result-in-words.js';
import { SILENCE_MS, silence } from './silence.js';
import { EMPTY, ephemeral, refuse, type SlackAnswer } from './slack-answer.js';
import type { SlackApp } from './slack-apps.js';
import { ANSWER_MS, type SlackActRequest, type SlackActResult, type SlackDeps } from './slack-deps.js';
import { within } from './within.js';

export type SlackCall = {
  readonly app: SlackApp;
  /** Names this very request. */
  readonly signature: string;
};

/** For what is told of when it is done, however long that takes. */
const NEVER = new AbortController().signal;

/** Carries out one interaction and says what to answer. Never throws. */
export async function handleInteraction(
  deps: SlackDeps,
  call: SlackCall,
  interaction: SlackInteraction,
): Promise<SlackAnswer> {
  switch (interaction.kind) {
    case 'unreadable':
      return refuse(400, interaction.why);
    case 'other':
      // Slack may begin to send more kinds; an error would be shown to the person.
      deps.logger.info({ type: interaction.type }, 'an interaction from Slack of a kind that is not used');
      return EMPTY;
    case 'press':
      return press(deps, call, interaction);
    case 'note':
      return sendNote(deps, call, interaction);
  }
}

type Press = Extract<SlackInteraction, { readonly kind: 'press' }>;

async function press(deps: SlackDeps, call: SlackCall, interaction: Press): Promise<SlackAnswer> {
  const { value, triggerId } = interaction;
  const caller = callerOf(interaction.origin, call.app);
  if (caller.kind === 'refused') return refuse(403, caller.why);
  const say = (text: string) => tellPerson(deps, interaction, text);
  if (value === null) {
    const text = 'This button is not known here: use the newest card of the incident.';
    return { ...EMPTY, after: () => say(text) };
  }
  if (value.act === 'open') return EMPTY;
  if (value.act === 'note') {
    return { ...EMPTY, after: () => openNote(deps, call.app, value, triggerId, say) };
  }
  const { act } = value;
  if (act === 'silence1h' || act === 'silence4h') {
    const request: SlackActRequest & { readonly forMs: number } = {
      incidentId: value.incidentId,
      actor: caller.actor,
      via: caller.via,
      expectedRevision: value.revision,
      forMs: SILENCE_MS[act],
      signal: NEVER,
      once: { provider: 'slack', key: call.signature },
    };
    return { ...EMPTY, after: async () => say(await silence(deps, request)) };
  }
  const done = await within(deps, ANSWER_MS, (signal) => {
    const { actor, via } = caller;
    const once = { provider: 'slack', key: call.signature } as const;
    return carryOut(deps, act, value, { incidentId: value.incidentId, actor, via, signal, once });
  });
  if (done.kind === 'not_done') {
    // Slack marks the button for a status that is no 200, even where the sentence cannot be shown.
    return { status: 503, body: null, after: () => say(notRecorded(done.why, 'press again')) };
  }
  const { result } = done;
  if (result.kind === 'replayed') return refuse(401, 'a copy of an earlier call');
  if (result.kind === 'changed' && (act === 'ack' || act === 'resolve')) return EMPTY;
  const text = resultInWords(act, value.incidentId, result, deps.clock.now());
  return {
    ...EMPTY,
    async after() {
      if (result.kind === 'stale') await redraw(deps, value.incidentId);
      await say(text);
    },
  };
}

/** To the person alone; where Slack does not take that, below the card, since somebody waits for an answer. */
async function tellPerson(
  deps: SlackDeps,
  { value, responseUrl, channel }: Press,
  text: string,
): Promise<void> {
  if ((await deps.respond(responseUrl, ephemeral(text))) || value === null || channel === null) return;
  const { incidentId } = value;
  await deps.actions
    .answerBelowCard({ incidentId, channel })
    .catch((error: unknown) => deps.logger.warn({ err: error, incidentId }, 'an answer could not be stored'));
}

function carryOut(
  { actions }: SlackDeps,
  act: Extract<SpokenAct, 'ack' | 'resolve' | 'rerun' | 'noise'>,
  seen: SlackValue,
  request: SlackActRequest,
): Promise<SlackActResult> {
  switch (act) {
    case 'ack':
      // A verdict that came meanwhile must not refuse the thumb; what became worse meanwhile was not seen.
      return actions.acknowledge({
        ...request,
        expectedEpisodeId: seen.episodeId,
        seenSeverity: seen.severity,
      });
    case 'resolve':
      return actions.resolve({
        ...request,
        expectedEpisodeId: seen.episodeId,
        expectedRevision: seen.revision,
      });
    case 'rerun':
      return actions.askDiagnosis(request);
    case 'noise':
      return actions.giveFeedback({ ...request, rating: 'noise' });
  }
}

async function openNote(
  deps: SlackDeps,
  app: SlackApp,
  { incidentId }: SlackValue,
  triggerId: string | null,
  say: (text: string) => Promise<void>,
): Promise<void> {
  const opened = triggerId !== null && (await deps.openForm(app, triggerId, noteForm(incidentId)));
  if (opened) return;
  const text = `The form could not be opened. Type: /incident note ${incidentId} <what happened>`;
  await say(text.replace('<', '&lt;').replace('>', '&gt;'));
}

async function sendNote(
  deps: SlackDeps,
  call: SlackCall,
  { origin, incidentId, text }: Extract<SlackInteraction, { readonly kind: 'note' }>,
): Promise<SlackAnswer> {
  const caller = callerOf(origin, call.app);
  if (caller.kind === 'refused') return refuse(403, caller.why);
  const comment = text.trim();
  if (comment === '') return formError('Found nothing: what happened?');
  const done = await within(deps, ANSWER_MS, (signal) =>
    deps.actions.addNote({
      incidentId,
      actor: caller.actor,
      via: caller.via,
      comment,
      signal,
      once: { provider: 'slack', key: call.signature },
    }),
  );
  if (done.kind === 'not_done') return formError(notRecorded(done.why, 'press Add again'));
  const { result } = done;
  if (result.kind === 'replayed') return refuse(401, 'a copy of an earlier call');
  return result.kind === 'not_found' ? formError(`There is no ${publicId(incidentId)}.`) : EMPTY;
}

/** Keeps the form open, with what was typed, and shows the sentence at its field. */
function formError(text: string): SlackAnswer {
  return { status: 200, body: { response_action: 'errors', errors: { note: text } } };
}

/** "Not recorded: the database did not answer within 2 s. Please press again." */
export function notRecorded(why: string, what: string): string {
  return `Not recorded: ${why}. Please ${what}.`;
}

async function redraw(deps: SlackDeps, incidentId: number): Promise<void> {
  await deps.actions
    .redraw(incidentId)
    .catch((error: unknown) => deps.logger.warn({ err: error, incidentId }, 'a card could not be redrawn'));
}
