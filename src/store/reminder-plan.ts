/**
 * Reminders follow from what stands open, not from the places where an episode can begin, go on or get worse: every
 * few seconds each open episode without its reminder gets one. So none is forgotten, whatever opened it.
 */

import { sql } from 'kysely';
import type { Tx } from './tables.js';

/** How long somebody has to take an incident, ms. People's time: the time scale does not shorten it. */
export type ReminderDelays = { readonly criticalMs: number; readonly warningMs: number };

/** An episode is found at most this long after it began; older ones were open while nobody looked for them. */
const FOUND_WITHIN_MS = 60_000;

export function createReminderPlan() {
  return {
    /**
     * Plans the reminder of every open incident that has none for its episode and severity. It is due so long
     * after the episode began, and never within `FOUND_WITHIN_MS` less than that from now: a warning that turns
     * critical, or a clock that was wrong, must not ring at once.
     */
    async planReminders(tx: Tx, nowMs: number, delays: ReminderDelays): Promise<void> {
      const { criticalMs, warningMs } = delays;
      const delay = sql<number>`case when i.severity = 'critical' then ${criticalMs} else ${warningMs} end`;
      const begunMs = sql<number>`case when e.started_at > ${nowMs} then ${nowMs}
        when e.started_at < ${nowMs - FOUND_WITHIN_MS} then ${nowMs - FOUND_WITHIN_MS} else e.started_at end`;
      await tx
        .insertInto('timers')
        .columns(['incident_id', 'episode_id', 'kind', 'key', 'payload', 'state', 'due_at', 'created_at'])
        .expression((eb) =>
          eb
            .selectFrom('incidents as i')
            .innerJoin('episodes as e', 'e.id', 'i.episode_id')
            .select([
              'i.id',
              'i.episode_id',
              sql<'reminder'>`'reminder'`.as('kind'),
              sql<string>`i.severity`.as('key'),
              sql<string>`'{}'`.as('payload'),
              sql<'waiting'>`'waiting'`.as('state'),
              sql<number>`${begunMs} + ${delay}`.as('due_at'),
              sql<number>`cast(${nowMs} as bigint)`.as('created_at'),
            ])
            // Said twice for the index of what is not resolved.
            .where(sql<boolean>`i.state <> 'resolved' and i.state = 'open'`)
            .where('i.severity', 'in', ['critical', 'warning'])
            .where('i.silenced', '=', 0)
            .where('i.in_storm', '=', 0)
            .where(
              sql<boolean>`not exists (select 1 from timers t where t.incident_id = i.id
                and t.episode_id = i.episode_id and t.kind = 'reminder' and t.key = i.severity)`,
            ),
        )
        .execute();
    },

    /** Lets reminders wait their whole time again that were dropped for a reason that has passed: it is open once more. */
    async returnReminders(tx: Tx, nowMs: number, delays: ReminderDelays): Promise<void> {
      const { criticalMs, warningMs } = delays;
      await tx
        .updateTable('timers')
        .set({
          state: 'waiting',
          due_at: sql`${nowMs} + case when key = 'critical' then ${criticalMs} else ${warningMs} end`,
          created_at: nowMs,
          attempts: 0,
          may_return: 0,
          reason: null,
          finished_at: null,
        })
        .where('kind', '=', 'reminder')
        .where('state', '=', 'dropped')
        .where(sql<boolean>`may_return = 1`)
        .where(
          sql<boolean>`exists (select 1 from incidents i where i.id = timers.incident_id and i.state = 'open'
            and i.episode_id = timers.episode_id and i.severity = timers.key and i.silenced = 0 and i.in_storm = 0)`,
        )
        .execute();
    },
  };
}
