/**
 * PagerDuty's Events v2 as seen from a crash test: slow, sometimes failing, sometimes accepting an event whose
 * answer never arrives. It keeps what it accepted, in order; only those events wake somebody.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/domain/clock.js';
import { between, type Random } from './random.js';
import { sleep } from './real-clock.js';

export type PagerEvent = {
  readonly atMs: number;
  readonly action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedupKey: string;
};

/** Called when a trigger was read; one of the two decides it, else the dice do. The answer is never sent. */
export type Ambush = (accept: () => void, refuse: () => void) => void;

export type MoodyPagerDuty = {
  readonly url: string;
  readonly accepted: () => readonly PagerEvent[];
  /** Requests that were answered 5xx or cut off without being accepted. */
  readonly refused: () => readonly PagerEvent[];
  /** Gives the next trigger to `ambush` instead of answering it. */
  readonly setAmbush: (ambush: Ambush | null) => void;
  /** From now on every event is accepted at once. */
  readonly calm: () => void;
  readonly close: () => Promise<void>;
};

/** Longest it thinks before it accepts. Well below a client's timeout. */
const MAX_DELAY_MS = 250;

export async function startMoodyPagerDuty(deps: {
  readonly clock: Clock;
  readonly random: Random;
}): Promise<MoodyPagerDuty> {
  const { clock, random } = deps;
  const accepted: PagerEvent[] = [];
  const refused: PagerEvent[] = [];
  let moody = true;
  let ambush: Ambush | null = null;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const event = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
      event_action: PagerEvent['action'];
      dedup_key: string;
    };
    let decided = false;
    const decide = (list: PagerEvent[]) => () => {
      if (decided) return;
      decided = true;
      list.push({ atMs: clock.now(), action: event.event_action, dedupKey: event.dedup_key });
    };
    const accept = decide(accepted);
    const refuse = decide(refused);
    // The client died while PagerDuty was thinking: it had taken the event, or it had not.
    response.once('close', () => {
      if (decided) return;
      if (random() < 0.5) accept();
      else refuse();
    });

    if (ambush !== null && event.event_action === 'trigger') {
      const trap = ambush;
      ambush = null;
      trap(accept, refuse);
      return;
    }
    const mood = moody ? random() : 1;
    if (moody) await sleep(between(random, 0, MAX_DELAY_MS));
    if (response.destroyed) return;
    if (mood < 0.08) {
      refuse();
      response.writeHead(503).end('try again');
      return;
    }
    if (mood < 0.13) refuse();
    else accept();
    if (mood < 0.17) {
      request.socket.destroy();
      return;
    }
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: event.dedup_key }),
    );
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v2/enqueue`,
    accepted: () => accepted,
    refused: () => refused,
    setAmbush(next) {
      ambush = next;
    },
    calm() {
      moody = false;
      ambush = null;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
