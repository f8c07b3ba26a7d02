/**
 * Whether a request comes from Slack: `X-Slack-Signature: v0=<hex HMAC-SHA256 of "v0:<time>:<body>">` over the
 * bytes as they arrived, by the app's signing secret (docs.slack.dev, "Verifying requests from Slack"). Nothing
 * of the body is read before. Slack's own SDK accepts times of the future; here both directions end at 5 min.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { MINUTE } from '../domain/clock.js';

const MAX_AGE_MS = 5 * MINUTE;

export type SlackRequest = {
  /** Node's header list: names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
};

export type SlackCheck<App> =
  /** `signature` names this very request: a copy of it has the same. */
  | { readonly kind: 'ok'; readonly app: App; readonly signature: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Checks a request against the secret of every app; all are tried, so that time tells nothing. Never throws. */
export function verifySlackRequest<App extends { readonly signingSecret: string }>(
  { rawHeaders, body }: SlackRequest,
  apps: readonly App[],
  nowMs: number,
): SlackCheck<App> {
  const time = onlyHeader(rawHeaders, 'x-slack-request-timestamp');
  const stated = onlyHeader(rawHeaders, 'x-slack-signature');
  if (time === null || stated === null) return refused('not exactly one signature and one time');
  if (!/^\d{1,12}$/.test(time)) return refused('the time is no whole number of seconds');
  if (Math.abs(nowMs - Number(time) * 1000) > MAX_AGE_MS) return refused('the time is more than 5 min away');
  const signature = /^v0=([0-9a-f]{64})$/.exec(stated)?.[1];
  if (signature === undefined) return refused('the signature is not of the form v0=<64 hex digits>');

  const given = Buffer.from(signature, 'hex');
  const matching = apps.filter(({ signingSecret }) => {
    const right = createHmac('sha256', signingSecret).update(`v0:${time}:`).update(body).digest();
    return timingSafeEqual(right, given);
  });
  const [app] = matching;
  return app === undefined ? refused('the signature does not fit') : { kind: 'ok', app, signature };
}

const refused = (why: string) => ({ kind: 'refused', why }) as const;

/** The value of a header that stands there exactly once: two are read differently by every proxy on the way. */
function onlyHeader(rawHeaders: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== name) continue;
    if (value !== null) return null;
    value = rawHeaders[index + 1] ?? '';
  }
  return value;
}
