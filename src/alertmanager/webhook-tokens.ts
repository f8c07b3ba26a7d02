/**
 * Who sends: an Alertmanager can prove itself by Bearer or Basic only (it signs nothing). The credential names
 * the source, so HA peers share one; several are valid at once, so that one can be replaced without a gap.
 */

import { createHash, timingSafeEqual } from 'node:crypto';

/** `reveal` is that of config/secret.ts; a plain text does for tests. */
export type WebhookToken = {
  readonly token: string | { readonly reveal: () => string };
  readonly source: string;
};

export type SourceOf = (request: {
  /** Node's header list: names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
}) => string | null;

/** Where no token is configured (bound to loopback), everything comes from this source. */
export const DEFAULT_SOURCE = 'alertmanager';

/**
 * Makes the check: the source of the credential, or null. Every token is compared, each by its sha256 in
 * constant time, so that neither length nor prefix nor position of a token can be measured.
 */
export function createSourceOf(tokens: readonly WebhookToken[]): SourceOf {
  const known = tokens.map(({ token, source }) => ({
    digest: sha256(typeof token === 'string' ? token : token.reveal()),
    source,
  }));
  return function sourceOf({ rawHeaders }) {
    if (known.length === 0) return DEFAULT_SOURCE;
    const presented = presentedToken(rawHeaders);
    const digest = sha256(presented ?? '');
    let source: string | null = null;
    for (const one of known) {
      if (timingSafeEqual(one.digest, digest)) source = one.source;
    }
    return presented === null ? null : source;
  };
}

/** The token of `Bearer <token>` or the password of `Basic <base64>`; null without exactly one readable header. */
function presentedToken(rawHeaders: readonly string[]): string | null {
  let header: string | null = null;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'authorization') continue;
    // Two of them are read differently by every proxy on the way.
    if (header !== null) return null;
    header = rawHeaders[index + 1] ?? '';
  }
  const match = /^(bearer|basic) +(\S+)$/i.exec((header ?? '').trim());
  if (match === null) return null;
  const [, scheme = '', credentials = ''] = match;
  if (scheme.toLowerCase() === 'bearer') return credentials;
  const decoded = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon === -1 ? null : decoded.slice(colon + 1);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
