/** What the doubles of Alertmanager post with: the service's webhook under torture, over a pool of its own. */

import type { Pool } from 'undici';
import { WEBHOOK_TOKEN } from './service-settings.js';

/** Resolves with the HTTP status; rejects when there was no answer, as Alertmanager's own client does. */
export function createPostWebhook(pool: Pool) {
  return async (body: string, signal: AbortSignal): Promise<number> => {
    const { statusCode, body: answer } = await pool.request({
      method: 'POST',
      path: '/api/v1/alertmanager',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${WEBHOOK_TOKEN}` },
      body,
      signal,
    });
    await answer.dump();
    return statusCode;
  };
}
