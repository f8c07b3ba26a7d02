/**
 * `X-PagerDuty-Signature: v1=<hex>[,v1=<hex>]`: HMAC-SHA256 of the bytes as they arrived, several while a secret is
 * replaced; any that fits counts (developer.pagerduty.com, "Verifying Signatures"). No time is signed: a copy is
 * recognised by the event's id.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';

/** More are not looked at. */
const MAX_SIGNATURES = 10;

/** A secret and the receivers whose webhook subscription signs with it. */
export type PagerSecret = { readonly secret: string; readonly receiver: string };

/** The receivers whose secret signed the body; empty = not signed by any. Every pair is compared, in constant time. */
export function signedBy(
  { rawHeaders, body }: { readonly rawHeaders: readonly string[]; readonly body: Uint8Array },
  secrets: readonly PagerSecret[],
): string[] {
  const headers = rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'x-pagerduty-signature',
  );
  // Two of them are read differently by every proxy on the way.
  if (headers.length !== 1) return [];
  const given = (headers[0] ?? '')
    .split(',', MAX_SIGNATURES)
    .flatMap((part) => /^\s*v1=([0-9a-f]{64})\s*$/.exec(part)?.[1] ?? [])
    .map((hex) => Buffer.from(hex, 'hex'));
  const fitting = secrets.filter(({ secret }) => {
    const right = createHmac('sha256', secret).update(body).digest();
    return given.filter((one) => timingSafeEqual(right, one)).length > 0;
  });
  return [...new Set(fitting.map(({ receiver }) => receiver))];
}
