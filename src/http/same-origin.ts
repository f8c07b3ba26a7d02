/** Refuses a change that another site's page makes a browser send: credentials go along by themselves. */

import type { RequestHandler } from 'express';
import { AppError } from '../domain/errors.js';

/**
 * Browsers state where a request comes from: Sec-Fetch-Site where the address is trustworthy (https, localhost),
 * else Origin alone. Programs state nothing and are let through. `publicUrl` counts as our own origin, for a proxy that changes the Host header.
 */
export function createSameOrigin(publicUrl: string | null): RequestHandler {
  const publicOrigin = publicUrl === null ? null : new URL(publicUrl).origin;
  return (request, _response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    const site = request.get('sec-fetch-site');
    const origin = request.get('origin');
    const own =
      site === undefined
        ? origin === undefined || origin === publicOrigin || hostOf(origin) === request.get('host')
        : site === 'same-origin' || site === 'none';
    if (!own) {
      throw new AppError(
        'forbidden',
        'this change was sent by a page of another site: open Wakewell itself and try again',
      );
    }
    next();
  };
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
