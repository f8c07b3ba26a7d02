/** Slack's Events API: only the question whether this address is ours. No event is subscribed to. */

import { z } from 'zod';
import { EMPTY, refuse, type SlackAnswer } from './slack-answer.js';

const Challenge = z.object({ type: z.literal('url_verification'), challenge: z.string().max(1_000) });

/** Echoes a challenge, and takes every event without doing anything: Slack would send it again otherwise. */
export function handleEvent(body: string): SlackAnswer {
  let event: unknown;
  try {
    event = JSON.parse(body);
  } catch {
    return refuse(400, 'the event is no JSON');
  }
  const asked = Challenge.safeParse(event);
  return asked.success ? { status: 200, body: { challenge: asked.data.challenge } } : EMPTY;
}
