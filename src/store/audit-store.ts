/** What is late, re-derived from the database: nothing here trusts the parts that should have done it. */

import { type RawBuilder, sql } from 'kysely';
import { labelsFromText } from './incident-rows.js';
import type { Tx } from './tables.js';

export const AUDIT_CHECKS = [
  'pages',
  'outbox',
  'work',
  'timers',
  'untold',
  'undiagnosed',
  'unreminded',
  'unresolved',
] as const;
/**
 * pages: a critical of which nobody accepted a page for 60 s, those held back on purpose apart. outbox: due messages that nobody took. work: due
 * investigations while none ends. timers: due and not fired. untold: an incident without any message.
 * undiagnosed: without any investigation. unreminded: open without its reminder. unresolved: over, and its pager
 * will not be told.
 */
export type AuditCheck = (typeof AUDIT_CHECKS)[number];

export type Late = {
  readonly check: AuditCheck;
  readonly count: number;
  /** Since when the oldest is due, ms since 1970. */
  readonly sinceMs: number;
};

/** How late something may be before it counts, ms. */
const PAGE_MS = 60_000;
const OUTBOX_MS = 300_000;
const WORK_MS = 120_000;
const TIMER_MS = 60_000;
const FOLLOWS_MS = 120_000;
/** For so long after a restore, what the backup held as due may wait for Alertmanager. */
const RESTORED_MS = 3_600_000;
/** Older incidents are not looked at again: they were found by an earlier audit, or cannot be helped. */
const WINDOW_MS = 86_400_000;

/** An open problem of the present episode that somebody is to be told of. */
const standing = sql`i.state = 'open' and i.state <> 'resolved' and i.severity in ('critical', 'warning')
  and i.silenced = 0 and i.in_storm = 0 and i.kind = 'problem'`;

/** Every check in one go, late ones only. `resolveHoldMs` is how long a resolve may be held back. */
export async function readLate(tx: Tx, nowMs: number, resolveHoldMs: number): Promise<Late[]> {
  const ask = async (check: AuditCheck, query: RawBuilder<{ count: number; since: number | null }>) => {
    const row = (await query.execute(tx)).rows[0];
    return row === undefined || row.count === 0 || row.since === null
      ? []
      : [{ check, count: Number(row.count), sinceMs: Number(row.since) }];
  };
  const window = nowMs - WINDOW_MS;
  const found = [
    await ask(
      'pages',
      sql`select count(*) as count, min(n.created_at) as since from notifications n
        join incidents i on i.id = n.incident_id and i.episode_id = n.episode_id
        where n.purpose = 'page' and n.state in ('queued', 'sending', 'dead') and n.created_at <= ${nowMs - PAGE_MS}
        and n.created_at > ${window} and ${standing} and i.severity = 'critical'
        and not (n.attempts = 0 and n.due_at > ${nowMs})
        and not exists (select 1 from database_identity d where n.created_at < d.restored_at
          and d.restored_at > ${nowMs - RESTORED_MS} and n.due_at > ${nowMs})
        and not exists (select 1 from notifications o where o.episode_id = n.episode_id
          and o.purpose = 'page' and o.state in ('sent', 'withheld'))`,
    ),
    await ask(
      'outbox',
      sql`select count(*) as count, min(n.due_at) as since from notifications n
        where n.state in ('queued', 'sending') and n.attempts = 0 and n.due_at <= ${nowMs - OUTBOX_MS}
        and not exists (select 1 from notifications o where o.incident_id = n.incident_id
          and o.receiver = n.receiver and o.id < n.id and o.state in ('queued', 'sending'))`,
    ),
    await ask(
      'work',
      sql`select count(*) as count, min(due_at) as since from work
        where state in ('queued', 'running') and due_at <= ${nowMs - WORK_MS}
        and (state = 'queued' or lease_until <= ${nowMs})
        and not exists (select 1 from diagnoses d where d.finished_at > ${nowMs - PAGE_MS})`,
    ),
    await ask(
      'timers',
      sql`select count(*) as count, min(due_at) as since from timers
        where state in ('waiting', 'firing') and due_at <= ${nowMs - TIMER_MS}
        and (state = 'waiting' or lease_until <= ${nowMs})`,
    ),
    await ask(
      'untold',
      sql`select count(*) as count, min(e.started_at) as since from incidents i join episodes e on e.id = i.episode_id
        where ${standing} and e.started_at <= ${nowMs - PAGE_MS} and e.started_at > ${window}
        and not exists (select 1 from notifications n where n.incident_id = i.id)
        and not exists (select 1 from timeline t where t.incident_id = i.id and t.kind = 'routed'
          and t.text like 'Recorded only%')`,
    ),
    await ask(
      'undiagnosed',
      sql`select count(*) as count, min(e.started_at) as since from incidents i join episodes e on e.id = i.episode_id
        where ${standing} and e.started_at <= ${nowMs - FOLLOWS_MS} and e.started_at > ${window}
        and not exists (select 1 from work w where w.incident_id = i.id)`,
    ),
    await ask(
      'unreminded',
      sql`select count(*) as count, min(e.started_at) as since from incidents i join episodes e on e.id = i.episode_id
        where ${standing} and e.started_at <= ${nowMs - FOLLOWS_MS} and e.started_at > ${window}
        and not exists (select 1 from timers t where t.incident_id = i.id and t.episode_id = i.episode_id
          and t.kind = 'reminder' and t.key = i.severity)`,
    ),
    await ask(
      'unresolved',
      sql`select count(*) as count, min(i.resolved_at) as since from incidents i
        where i.state = 'resolved' and i.resolved_at > ${window}
        and i.resolved_at <= ${nowMs - resolveHoldMs - FOLLOWS_MS} and i.folded_into is null
        and exists (select 1 from notifications n join episodes e on e.id = n.episode_id
          where n.episode_id = i.episode_id and n.purpose = 'page' and n.state = 'sent' and n.umbrella_id is null
          and e.resolve_attempted_at is null
          and not exists (select 1 from notifications r where r.episode_id = n.episode_id
            and r.purpose = 'page_resolve' and r.receiver = n.receiver))`,
    ),
  ];
  return found.flat();
}

/** Checks whose alert of this name fires still: raised by this process or an earlier one. */
export async function readRaised(tx: Tx, alertName: string): Promise<Set<AuditCheck>> {
  const rows = await tx
    .selectFrom('incident_alerts')
    .select('labels')
    .where('name', '=', alertName)
    .where('status', '=', 'firing')
    .execute();
  const named = new Set(rows.map((row) => labelsFromText(row.labels).check));
  return new Set(AUDIT_CHECKS.filter((check) => named.has(check)));
}

/** What waits to be sent, by receiver and severity. `sinceMs` is when the oldest was stored, ms since 1970. */
export type Backlog = {
  readonly receiver: string;
  readonly severity: string;
  readonly count: number;
  readonly sinceMs: number;
};

export async function readBacklog(tx: Tx): Promise<Backlog[]> {
  const rows = await tx
    .selectFrom('notifications as n')
    .innerJoin('incidents as i', 'i.id', 'n.incident_id')
    .select((eb) => [
      'n.receiver',
      'i.severity',
      eb.fn.countAll<number>().as('count'),
      eb.fn.min('n.created_at').as('since'),
    ])
    .where(sql<boolean>`n.state in ('queued', 'sending')`)
    .groupBy(['n.receiver', 'i.severity'])
    .execute();
  return rows.map(({ receiver, severity, count, since }) => ({ receiver, severity, count, sinceMs: since }));
}
