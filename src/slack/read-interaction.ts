/** Slack's interaction payload (docs.slack.dev, "Interaction payloads") as far as it is used: loosely read, once. */

import { z } from 'zod';
import { readSlackValue, type SlackValue } from '../render/slack-value.js';
import type { SlackOrigin } from './caller.js';

export type SlackInteraction =
  /** A button or a menu's option. `value` is null for one that no card of ours has. */
  | {
      readonly kind: 'press';
      readonly origin: SlackOrigin;
      readonly value: SlackValue | null;
      readonly responseUrl: string | null;
      readonly triggerId: string | null;
      readonly channel: string | null;
    }
  /** The form for a note was sent. */
  | {
      readonly kind: 'note';
      readonly origin: SlackOrigin;
      readonly incidentId: number;
      readonly text: string;
    }
  /** Something that Slack sends and nobody asked for. */
  | { readonly kind: 'other'; readonly type: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Names of the note's form, its block and its field. */
export const NOTE_FORM = { callbackId: 'inc.note', blockId: 'note', actionId: 'text' } as const;

const Origin = z.object({
  api_app_id: z.string().nullish(),
  team: z.object({ id: z.string() }).nullish(),
  user: z.object({
    id: z.string(),
    team_id: z.string().nullish(),
    name: z.string().nullish(),
    username: z.string().nullish(),
  }),
});
const Press = Origin.extend({
  response_url: z.string().nullish(),
  trigger_id: z.string().nullish(),
  channel: z.object({ id: z.string() }).nullish(),
  // One press is one action; more would leave open which of them was answered.
  actions: z
    .array(
      z.object({
        value: z.string().nullish(),
        selected_option: z.object({ value: z.string() }).nullish(),
      }),
    )
    .length(1),
});
const NoteForm = Origin.extend({
  view: z.object({
    callback_id: z.literal(NOTE_FORM.callbackId),
    private_metadata: z.string().regex(/^[1-9]\d{0,14}$/),
    state: z.object({
      values: z.object({
        [NOTE_FORM.blockId]: z.object({ [NOTE_FORM.actionId]: z.object({ value: z.string().nullish() }) }),
      }),
    }),
  }),
});

/** Reads the form body of /slack/interactions. Never throws. */
export function readInteraction(body: string): SlackInteraction {
  const fields = new URLSearchParams(body).getAll('payload');
  if (fields.length !== 1) return unreadable(`found ${fields.length} payloads, expected one`);
  let payload: unknown;
  try {
    payload = JSON.parse(fields[0] ?? '');
  } catch {
    return unreadable('the payload is no JSON');
  }
  return interactionOf(payload);
}

/** The same for a payload that came parsed. */
export function interactionOf(payload: unknown): SlackInteraction {
  const type = z.object({ type: z.string() }).safeParse(payload).data?.type;
  if (type === undefined) return unreadable('the payload names no type');
  if (type === 'block_actions') {
    const press = Press.safeParse(payload);
    if (!press.success) return unreadable(firstFault(press.error));
    const { actions, response_url: responseUrl, trigger_id: triggerId } = press.data;
    const [action] = actions;
    return {
      kind: 'press',
      origin: originOf(press.data),
      value: readSlackValue(action?.selected_option?.value ?? action?.value ?? ''),
      responseUrl: responseUrl ?? null,
      triggerId: triggerId ?? null,
      channel: press.data.channel?.id ?? null,
    };
  }
  if (type === 'view_submission') {
    const form = NoteForm.safeParse(payload);
    if (!form.success) return unreadable(firstFault(form.error));
    const { private_metadata: incident, state } = form.data.view;
    return {
      kind: 'note',
      origin: originOf(form.data),
      incidentId: Number(incident),
      text: state.values.note.text.value ?? '',
    };
  }
  return { kind: 'other', type: type.slice(0, 60) };
}

function originOf({ api_app_id: appId, team, user }: z.infer<typeof Origin>): SlackOrigin {
  return {
    appId: appId ?? null,
    teamId: team?.id ?? null,
    userId: user.id,
    userTeamId: user.team_id ?? null,
    userName: user.name ?? user.username ?? null,
  };
}

const unreadable = (why: string) => ({ kind: 'unreadable', why }) as const;

/** Where and what; the value itself is not repeated. */
function firstFault(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}`;
}
