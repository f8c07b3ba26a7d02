/**
 * The webhook stands before Express: its address is compared, and nothing else is done for it. No rule of pages
 * or API may ever cost an alert, and in a storm Express would cost more than reading and storing one.
 */

import type { RequestListener } from 'node:http';

export const WEBHOOK_PATH = '/api/v1/alertmanager';

/** In any case, with or without a trailing slash and a query, as a path or (through a proxy) a whole address: never a redirect. */
const WEBHOOK_ADDRESS = /^(?:https?:\/\/[^/?#]*)?\/api\/v1\/alertmanager\/?(?:[?#]|$)/i;

/** A listener that hands calls of the webhook's address, of every method, to `webhook` and the others to `rest`. */
export function webhookFirst(webhook: RequestListener, rest: RequestListener): RequestListener {
  return (request, response) => {
    const url = request.url ?? '';
    if (url === WEBHOOK_PATH || WEBHOOK_ADDRESS.test(url)) webhook(request, response);
    else rest(request, response);
  };
}
