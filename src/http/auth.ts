/**
 * Who is asking. Programs send a bearer token; browsers are asked for a name (shown in the timeline) and the
 * token as password, which needs no session and no cookie. Without configured tokens the service listens on
 * loopback only, and then the Host header must be a loopback name: else any web page could reach it by
 * pointing its own name at 127.0.0.1.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { AppError } from '../domain/errors.js';

export type ApiToken = { readonly name: string; readonly token: { readonly reveal: () => string } };

export type AuthOptions = {
  /** Several are valid at once. Empty = no token is asked for. */
  readonly tokens: readonly ApiToken[];
  /** Base of our pages; its host is a known one. */
  readonly publicUrl: string | null;
};

const MAX_ACTOR_CHARS = 60;

/** Sets `response.locals.actor` to who acts, or fails with `unauthorized` or `forbidden`. */
export function createAuth({ tokens, publicUrl }: AuthOptions): RequestHandler {
  const known = tokens.map(({ name, token }) => ({ name, digest: digest(token.reveal()) }));
  const publicHost = publicUrl === null ? null : new URL(publicUrl).host;

  return (request, response, next) => {
    const stated = request.get('x-actor');
    if (known.length === 0) {
      const host = request.get('host') ?? '';
      if (host !== publicHost && !isLoopbackHost(host)) {
        throw new AppError(
          'forbidden',
          `this service answers on loopback without a token, but was asked as ${JSON.stringify(host)}: set WAKEWELL_API_TOKEN or WAKEWELL_PUBLIC_URL`,
        );
      }
      response.locals.actor = actorFrom(stated) ?? null;
      return next();
    }
    const credential = readCredential(request.get('authorization'));
    // Every token is compared, whichever fits: the time tells nothing about which was near.
    const given = digest(credential?.token ?? '');
    const matching = known.filter((one) => timingSafeEqual(one.digest, given));
    const [match] = matching;
    if (credential === null || match === undefined) {
      response.set('WWW-Authenticate', 'Basic realm="Wakewell: your name, and an API token as password"');
      throw new AppError(
        'unauthorized',
        'no valid API token: send Authorization: Bearer <WAKEWELL_API_TOKEN>, or in a browser any name with the token as password',
      );
    }
    response.locals.actor = actorFrom(credential.name) ?? actorFrom(stated) ?? match.name;
    next();
  };
}

/** Both sides are hashed first, so that lengths match and nothing is learnt from them. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function readCredential(
  header: string | undefined,
): { readonly name: string | null; readonly token: string } | null {
  const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+)$/i.exec(header ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return { name: null, token: value };
  if (scheme.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { name: text.slice(0, colon), token: text.slice(colon + 1) };
}

/** A name for the timeline, or null when nothing usable was given. */
export function actorFrom(name: string | null | undefined): string | null {
  const text = (name ?? '')
    .replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, MAX_ACTOR_CHARS);
  return text === '' ? null : text;
}

function isLoopbackHost(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);
}
