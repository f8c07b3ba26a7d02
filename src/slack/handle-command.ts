/** `/incident …`: the same acts by words, for who has no card at hand. Every answer is seen by the person alone. */

import { publicId } from '../domain/incident.js';
import { MAX_SILENCE_MS, MIN_SILENCE_MS } from '../incidents/silence-incident.js';
import { cardModel } from '../render/card-model.js';
import { cut, slackText } from '../render/neutralise.js';
import { slackButtons } from '../render/slack-buttons.js';
import { renderSlackCard } from '../render/slack-card.js';
import { callerOf, type SlackOrigin } from './caller.js';
import { helpText, listText, newestText } from './command-texts.js';
import type { SlackCall } from './handle-interaction.js';
import { notRecorded } from './handle-interaction.js';
import {
  COMMAND_ACTS,
  type CommandAct,
  type CommandedAct,
  readCommand,
  type SlackCommand,
} from './read-command.js';
import { resultInWords } from './result-in-words.js';
import { silence } from './silence.js';
import { ephemeral, refuse, type SlackAnswer } from './slack-answer.js';
import { ANSWER_MS, type SlackActRequest, type SlackActResult, type SlackDeps } from './slack-deps.js';
import { within } from './within.js';

/** Lines of a list; the rest is counted. */
const LIST_LINES = 10;
const MAX_COMMENT_CHARS = 4_000;
/** What is only helpful may not make the answer late. */
const HINT_MS = 500;

/** For what is told of when it is done, however long that takes. */
const NEVER = new AbortController().signal;
const REPLAYED = refuse(401, 'a copy of an earlier call');

/** Reads the fields of a slash command (docs.slack.dev, "Slash commands"), does it and answers. Never throws. */
export async function handleCommand(deps: SlackDeps, call: SlackCall, body: string): Promise<SlackAnswer> {
  const fields = new URLSearchParams(body);
  // Slack asks now and then whether the certificate is good.
  if (fields.get('ssl_check') === '1') return { status: 200, body: null };
  const caller = callerOf(originOf(fields), call.app);
  if (caller.kind === 'refused') return refuse(403, caller.why);
  const once = { provider: 'slack', key: call.signature } as const;

  const command = readCommand((fields.get('text') ?? '').slice(0, 2 * MAX_COMMENT_CHARS));
  if (command.name === 'silence') {
    const { incidentId, forMs, text } = command;
    if (forMs === null || forMs < MIN_SILENCE_MS || forMs > MAX_SILENCE_MS) {
      return {
        status: 200,
        body: ephemeral(`For how long? \`/incident silence ${incidentId} 1h [why]\`, 1m to 30d.`),
      };
    }
    const { actor, via } = caller;
    const request = { incidentId, actor, via, comment: text, forMs, signal: NEVER, once };
    return {
      status: 200,
      body: ephemeral('Asking Alertmanager…'),
      async after() {
        await deps.respond(fields.get('response_url'), ephemeral(await silence(deps, request)));
      },
    };
  }
  return isAct(command)
    ? doAct(deps, command, { ...caller, once })
    : answer(deps, 'Not available', async () => ((await deps.claim(once)) ? read(deps, command) : null));
}

function isAct(command: SlackCommand): command is CommandedAct {
  return COMMAND_ACTS.some((act) => act === command.name);
}

async function doAct(
  deps: SlackDeps,
  { name, incidentId, text }: CommandedAct,
  { actor, via, once }: Pick<SlackActRequest, 'actor' | 'via' | 'once'>,
): Promise<SlackAnswer> {
  if (name === 'note' && text === '') {
    return { status: 200, body: ephemeral(`What is the note? \`/incident note ${incidentId} …\``) };
  }
  if (text.length > MAX_COMMENT_CHARS) {
    return { status: 200, body: ephemeral(`Not recorded: at most ${MAX_COMMENT_CHARS} characters.`) };
  }
  const comment = text === '' ? undefined : text;
  const done = await within(deps, ANSWER_MS, (signal) =>
    carryOut(deps, name, { incidentId, actor, via, comment, signal, once }),
  );
  if (done.kind === 'not_done') {
    return { status: 200, body: ephemeral(notRecorded(done.why, 'send it again')) };
  }
  const { result } = done;
  if (result.kind === 'replayed') return REPLAYED;
  const said = resultInWords(name, incidentId, result, deps.clock.now());
  if (result.kind !== 'changed') return { status: 200, body: ephemeral(said) };
  // It is recorded: what helps next may fail, but the answer may not say otherwise.
  const more = await within(deps, HINT_MS, () => hint(deps, name, incidentId));
  return { status: 200, body: ephemeral(more.kind === 'done' ? `${said}${more.result}` : said) };
}

async function answer(
  deps: SlackDeps,
  failing: string,
  work: () => Promise<object | null>,
): Promise<SlackAnswer> {
  const done = await within(deps, ANSWER_MS, work);
  if (done.kind === 'not_done') {
    return { status: 200, body: ephemeral(`${failing}: ${done.why}. Please send it again.`) };
  }
  return done.result === null ? REPLAYED : { status: 200, body: done.result };
}

type Reading = Exclude<SlackCommand, CommandedAct | { readonly name: 'silence' }>;

async function read(deps: SlackDeps, command: Reading): Promise<object> {
  switch (command.name) {
    case 'help':
      return ephemeral(helpText(await openOnes(deps), deps));
    case 'list': {
      const { state, severity, words } = command;
      const found = await deps.reads.list({
        state,
        ...(severity === null ? {} : { severity }),
        ...(words === '' ? {} : { q: words }),
        limit: LIST_LINES,
      });
      return ephemeral(listText(found, deps));
    }
    case 'show': {
      const view = await deps.reads.view(command.incidentId);
      if (view === null) return ephemeral(`There is no ${publicId(command.incidentId)}.`);
      const card = renderSlackCard(view, { ...deps, actions: (one) => slackButtons(one, deps) });
      return ephemeral(card.text, card.blocks);
    }
    case 'which':
      return ephemeral(newestText(command.word, await openOnes(deps)));
    case 'unknown': {
      const near = command.near === null ? '' : ` Did you mean \`${command.near}\`?`;
      return ephemeral(
        `\`${slackText(command.word)}\` is no word of mine.${near} \`/incident help\` lists them.`,
      );
    }
  }
}

function openOnes(deps: SlackDeps) {
  return deps.reads.list({ state: ['open', 'acknowledged'], limit: 5 });
}

function carryOut(
  { actions }: SlackDeps,
  act: CommandAct,
  request: SlackActRequest,
): Promise<SlackActResult> {
  switch (act) {
    case 'ack':
      return actions.acknowledge(request);
    case 'resolve':
      return actions.resolve(request);
    case 'reopen':
      return actions.reopen(request);
    case 'rerun':
      return actions.askDiagnosis(request);
    case 'note':
      return actions.addNote({ ...request, comment: request.comment ?? '' });
  }
}

/** What helps next: the first step after taking it, what still fires after closing it. */
async function hint(deps: SlackDeps, act: CommandAct, incidentId: number): Promise<string> {
  if (act !== 'ack' && act !== 'resolve') return '';
  const view = await deps.reads.view(incidentId);
  if (view === null) return '';
  if (act === 'ack') {
    const { doFirst } = cardModel(view, deps);
    return doFirst === null ? '' : ` Do first: ${slackText(cut(doFirst.text, 200))}`;
  }
  if (view.firingCount === 0) return '';
  const still =
    view.alertCount === 1
      ? 'Its alert still fires'
      : `${view.firingCount} of ${view.alertCount} alerts still fire`;
  return ` ${still}: it reopens when one fires anew.`;
}

function originOf(fields: URLSearchParams): SlackOrigin {
  return {
    appId: fields.get('api_app_id'),
    teamId: fields.get('team_id'),
    userId: fields.get('user_id') ?? '',
    // A command can be typed only where the app is installed.
    userTeamId: null,
    userName: fields.get('user_name'),
  };
}
