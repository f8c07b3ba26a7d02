/** Stored pages that are due while nothing can be claimed: read as they are, to be sent without the database. */

import type { DirectPage } from '../domain/bare-facts.js';
import { readBareFacts } from '../store/bare-facts.js';
import type { OutboxDeps } from './outbox-deps.js';
import { stillTrue } from './still-true.js';

const BATCH = 20;

/** Reads only. Throws when even that fails. */
export async function readUnclaimedPages(
  deps: Pick<OutboxDeps, 'db' | 'stores' | 'clock'>,
): Promise<DirectPage[]> {
  const { kysely } = deps.db;
  const pages: DirectPage[] = [];
  for (const page of await deps.stores.notifications.duePages(kysely, deps.clock.now(), BATCH)) {
    const read = await readBareFacts(kysely, page);
    if (read === null) continue;
    const history = await deps.stores.notifications.notificationsOf(kysely, page.incidentId);
    if (stillTrue({ notification: page, ...read, hasVerdict: false, history }).kind === 'drop') continue;
    pages.push({
      facts: { ...read.facts, why: 'the database is in trouble' },
      labels: read.facts.scope,
      receiver: page.receiver,
    });
  }
  return pages;
}
