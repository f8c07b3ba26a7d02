/** A receiver of our generic webhook: keeps what arrived and answers 200. */

import { createHmac } from 'node:crypto';
import { type FakeRequest, type FakeServer, startHttpFake } from './http-fake.js';

export type FakeWebhook = FakeServer & {
  /** Bodies that were answered, parsed. */
  readonly bodies: () => readonly Record<string, unknown>[];
  /** Whether a request carries the right signature for this secret, as its receiver would check it. */
  readonly isSigned: (request: FakeRequest, secret: string) => boolean;
};

export async function startFakeWebhook(): Promise<FakeWebhook> {
  const bodies: Record<string, unknown>[] = [];
  const server = await startHttpFake((request) => {
    bodies.push(JSON.parse(request.body) as Record<string, unknown>);
    return { status: 200, body: '{"ok":true}' };
  });
  return {
    ...server,
    bodies: () => bodies,
    isSigned(request, secret) {
      const signed = `${String(request.headers['x-timestamp'])}.${request.body}`;
      const expected = createHmac('sha256', secret).update(signed).digest('hex');
      return request.headers['x-signature'] === `sha256=${expected}`;
    },
  };
}
