/**
 * The escalation of a playbook entry, carried out: planned when an incident is diagnosed, and at its time asked again,
 * by its condition against the live metrics, before anybody else is told.
 */

import type { Incident } from '../domain/incident.js';
import type { Labels } from '../domain/labels.js';
import type { Escalation, PlaybookEntry, Requirement } from '../playbook/schema.js';
import { minutesBetween } from '../render/duration.js';
import { type EscalationTargets, receiversOf } from '../routing/escalation-target.js';
import type { ReceiverRef } from '../routing/route-table.js';
import type { Database, Tx } from '../store/database.js';
import { readEpisode } from '../store/episode-store.js';
import { readIncident } from '../store/incident-history.js';
import type { NotificationStore } from '../store/notification-store.js';
import type { ReconcileStore } from '../store/reconcile-store.js';
import type { TimelineStore } from '../store/timeline-store.js';
import type { NewTimer, Timer, TimerStore } from '../store/timer-store.js';
import { escalationInWords, escalationTo, type Rechecked } from './escalation-messages.js';
import { type Dropped, dropped, standing, type TimerEffect, type TimerHandler } from './timer-effect.js';
import { followUps } from './told-receivers.js';

export type EscalationDeps = {
  readonly db: Database;
  readonly stores: {
    readonly notifications: NotificationStore;
    readonly timeline: TimelineStore;
    readonly timers: TimerStore;
    readonly reconcile: Pick<ReconcileStore, 'leadAlert'>;
  };
  readonly receivers: readonly ReceiverRef[];
  readonly targets: EscalationTargets;
  /** The entry that serves an alert now. */
  readonly entryFor: (labels: Labels) => PlaybookEntry;
  /** Makes a check of an entry again, within seconds and without throwing. */
  readonly recheck: (incident: Incident, entry: PlaybookEntry, check: Requirement) => Promise<Rechecked>;
};

export type Escalations = {
  /** Plans those of the entry that serves an incident now; part of the transaction of a diagnosis. */
  readonly plan: (tx: Tx, incidentId: number, nowMs: number) => Promise<void>;
  readonly fire: TimerHandler;
};

export function createEscalations(deps: EscalationDeps): Escalations {
  const { notifications, timeline, timers, reconcile } = deps.stores;

  async function servedBy(tx: Tx, incident: Incident): Promise<PlaybookEntry | null> {
    const lead = await reconcile.leadAlert(tx, incident.id, incident.alertKey);
    return lead === null ? null : deps.entryFor({ ...lead.labels, alertname: incident.alertName });
  }

  /** The step that a timer is about, as the playbook has it now. */
  async function escalationOf(
    tx: Tx,
    timer: Timer,
    incident: Incident,
  ): Promise<{ readonly entry: PlaybookEntry; readonly escalation: Escalation } | Dropped> {
    const entry = await servedBy(tx, incident);
    if (entry === null) return dropped('none of its alerts fires');
    const at = entry.escalation.findIndex((_, index) => keyOf(entry, index) === timer.key);
    const escalation = entry.escalation[at];
    return escalation === undefined
      ? dropped(`the playbook entry that serves it now, ${entry.id}, does not ask for it`)
      : { entry, escalation };
  }

  async function stillWanted(tx: Tx, timer: Timer) {
    const incident = standing(timer, await readIncident(tx, timer.incidentId ?? 0));
    if ('reason' in incident) return incident;
    const asked = await escalationOf(tx, timer, incident);
    if ('reason' in asked) return asked;
    if (incident.flags.inStorm) return dropped('the umbrella of its storm speaks for it');
    if (asked.escalation.unless === 'acknowledged' && incident.state === 'acknowledged') {
      return dropped(`acknowledged by ${incident.acknowledgedBy ?? 'somebody'}`);
    }
    return { incident, ...asked };
  }

  async function escalate(
    tx: Tx,
    timer: Timer,
    incident: Incident,
    escalation: Escalation,
    rechecked: Rechecked | null,
    nowMs: number,
  ): Promise<TimerEffect> {
    const history = await notifications.notificationsOf(tx, incident.id);
    const told = receiversOf(escalation.to, deps.targets, deps.receivers);
    const at = { incidentId: incident.id, episodeId: timer.episodeId, nowMs };
    const wanted = told.flatMap((one) => escalationTo(one, incident, history, at));
    // Whoever works on it has to know that others come, or that they have to be called.
    const here = followUps(await notifications.toldReceivers(tx, [incident.id]), 'reminded', at).filter(
      ({ purpose, receiver }) => purpose === 'reminder_reply' && !told.some((one) => one.name === receiver),
    );
    const startedAtMs = (await readEpisode(tx, timer.episodeId))?.startedAtMs ?? timer.createdAtMs;
    const age = minutesBetween(startedAtMs, nowMs);
    const text = escalationInWords(incident, escalation, told, rechecked, age);
    const all = [...wanted, ...here];
    // A reply needs its card first, and messages to one receiver keep the order in which they were stored.
    await notifications.enqueue(
      tx,
      all.filter((one) => one.purpose === 'card'),
    );
    await notifications.enqueue(
      tx,
      all.filter((one) => one.purpose !== 'card'),
    );
    await timeline.append(tx, [
      { incidentId: incident.id, atMs: nowMs, kind: 'escalated', text, actor: 'wakewell' },
    ]);
    return { kind: 'fired', reason: text };
  }

  return {
    async plan(tx, incidentId, nowMs) {
      const incident = await readIncident(tx, incidentId);
      if (incident === null || incident.state === 'resolved' || incident.severity === 'info') return;
      const entry = await servedBy(tx, incident);
      const episode = await readEpisode(tx, incident.episodeId);
      if (entry === null || episode === null) return;
      const { startedAtMs } = episode;
      await timers.planTimers(
        tx,
        entry.escalation.map((one, index): NewTimer => {
          const planned = {
            incidentId,
            episodeId: episode.id,
            kind: 'escalation',
            createdAtMs: nowMs,
          } as const;
          const payload = { to: one.to, unless: one.unless };
          return {
            ...planned,
            key: keyOf(entry, index),
            payload,
            dueAtMs: Math.min(startedAtMs, nowMs) + one.afterMs,
          };
        }),
      );
    },
    fire: async (timer) => {
      // Looked at before the transaction, since the metrics may take seconds; what is decided is asked again inside.
      const before = await stillWanted(deps.db.kysely, timer);
      const check = 'reason' in before ? null : before.escalation.onlyIf;
      const rechecked =
        'reason' in before || check === null
          ? null
          : await deps.recheck(before.incident, before.entry, check);
      return async (tx, nowMs) => {
        const still = await stillWanted(tx, timer);
        if ('reason' in still) return still;
        if (rechecked?.state === 'not') return dropped(`checked again, it does not hold: ${rechecked.says}`);
        return escalate(tx, timer, still.incident, still.escalation, rechecked, nowMs);
      };
    },
  };
}

/** Names one step of one entry: written anew it is another. */
function keyOf(entry: PlaybookEntry, index: number): string {
  return `${entry.id}#${index}`;
}
