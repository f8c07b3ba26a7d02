/**
 * Builds in which one stage silently does nothing: no error, no log line, it just is not done. Made as those of
 * bench/torture/mutants.ts, by replacing text in a copy of the build.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceOnce } from '../../bench/torture/mutants.js';
import type { Chapter } from './story-chapters.js';

export type StoryName = Chapter | 'locked' | 'jobs';

type Patch = { readonly file: string; readonly find: RegExp; readonly replace: string };

/** A stage, who must find that it is silent (part of what a `Catch` says), and how it is silenced. */
type Stage = readonly [stage: string, caughtBy: string, Patch];

/** A function that returns before it did anything. */
function idle(file: string, find: RegExp, answer = ''): Patch {
  return { file, find, replace: `$&\n return ${answer};` };
}

function without(file: string, find: RegExp, replace = ''): Patch {
  return { file, find, replace };
}

const CLAIM_WORK = idle('incidents/work-loop.js', /async function claimAll\(\) \{/);
const CLAIM_MESSAGES = idle('outbox/dispatcher.js', /async function claimAll\(\) \{/);
const STORE_WORK = without('incidents/write-plan.js', /await stores\.work\.addWork\(tx, follow\.work\);/);
const STORE_MESSAGES = without(
  'incidents/write-plan.js',
  /await stores\.notifications\.enqueue\(tx, follow\.notifications\);/,
);
const TURN_TIMERS = idle('incidents/timer-loop.js', /async function turn\(\) \{/);
const PLAN_REMINDERS = without(
  'incidents/create-timers.js',
  /await timers\.planReminders\(tx, nowMs, delays\);/,
);
const TELL_PAGER_OF_RESOLVE = without(
  'incidents/told-receivers.js',
  /resolved: \{ page: 'page_resolve', /,
  'resolved: { ',
);

/** By the story in which they are found. */
export const SILENT_STAGES: Readonly<Record<StoryName, readonly Stage[]>> = {
  day: [
    ['intake stores no work', 'a page as soon', STORE_WORK],
    ['intake stores no message', 'a page as soon', STORE_MESSAGES],
    [
      'intake stores no page',
      'a page as soon',
      without(
        'incidents/write-plan.js',
        /for \(const purpose of notificationsFor\(kind, 'fired', severity\)\) \{/,
        "$& if (purpose === 'page') continue;",
      ),
    ],
    [
      'the absence of a Watchdog is not raised',
      'the absence of the Watchdog',
      idle('incidents/watchdog.js', /return async \(timer\) => async \(tx, nowMs\) => \{/, "dropped('')"),
    ],
    ['work is not claimed', 'a page as soon', CLAIM_WORK],
    [
      'an investigation does nothing',
      'a page as soon',
      idle('incidents/investigate.js', /return async function investigate\(work\) \{/),
    ],
    [
      'a verdict does not pull the page forward',
      'a page as soon',
      without('incidents/commit-diagnosis.js', /await deps\.notifications\.pullForward\(tx, id, nowMs\);/),
    ],
    [
      'a verdict is not stored',
      'a page that carries a verdict',
      without(
        'incidents/commit-diagnosis.js',
        /await deps\.diagnoses\.insertDiagnosis\(tx, \{/,
        'await (async () => 0)(tx, {',
      ),
    ],
    [
      'nothing is frozen',
      'the frozen signals',
      without('incidents/investigate.js', /await deps\.diagnoses\.insertRecording\(tx, \{/, 'void (tx, {'),
    ],
    [
      'a resolve is not diagnosed',
      'a second diagnosis',
      without('incidents/resolve-finished.js', /follow\.work\.push\(\{/, 'void ({'),
    ],
    ['messages are not claimed', 'a page as soon', CLAIM_MESSAGES],
    [
      'the pager sends nothing and says sent',
      'a page as soon',
      idle(
        'receivers/pagerduty.js',
        /async function send\(event, signal\) \{/,
        "{ kind: 'sent', ref: event.dedup_key }",
      ),
    ],
    [
      'Slack sends nothing and says sent',
      'a card',
      idle(
        'receivers/slack.js',
        /async function deliverCard\(delivery, calls\) \{/,
        "{ kind: 'sent', ref: '1' }",
      ),
    ],
    [
      'a card is posted and never updated',
      'a card that says who has it',
      without(
        'outbox/deliver-one.js',
        /if \(notification\.purpose === 'card' && card !== null\) \{/,
        "$& await record.dropped(notification, ''); return null;",
      ),
    ],
    [
      'an acknowledgement is not passed on',
      'an acknowledgement at the pager',
      without(
        'incidents/told-receivers.js',
        /acknowledged: \{ page: 'page_acknowledge', /,
        'acknowledged: { ',
      ),
    ],
    ['a resolve is not passed on', 'a resolve at the pager', TELL_PAGER_OF_RESOLVE],
    ['timers do not fire', 'an escalation', TURN_TIMERS],
    ['reminders are not planned', 'a second page', PLAN_REMINDERS],
    [
      'a reminder reminds nobody',
      'a second page',
      without('incidents/reminders.js', /await notifications\.enqueue\(tx, wanted\);/),
    ],
    [
      'escalations are not planned',
      'an escalation',
      idle('incidents/escalations.js', /async plan\(tx, incidentId, nowMs\) \{/),
    ],
    [
      'an escalation tells nobody',
      'an escalation',
      idle(
        'incidents/escalations.js',
        /async function escalate\([^)]*\) \{/,
        "{ kind: 'fired', reason: '' }",
      ),
    ],
    [
      'upkeep does nothing',
      'who joined a storm',
      idle('incidents/upkeep.js', /async function runAll\(\) \{/),
    ],
    [
      'storms are not seen',
      'one page for a storm',
      idle('incidents/join-storms.js', /export async function joinStorms\([^)]*\) \{/, '[]'),
    ],
    [
      'a storm is not announced',
      'one card for a storm',
      idle('incidents/join-storms.js', /export async function announceStorms\([^)]*\) \{/),
    ],
    [
      'who joins an umbrella is not named',
      'who joined a storm',
      idle('incidents/name-members.js', /export async function nameMembers\([^)]*\) \{/, 'false'),
    ],
    [
      'a page ceiling never has room again',
      'a page as soon as a ceiling has room',
      idle('incidents/wake-withheld.js', /export async function wakeWithheld\([^)]*\) \{/, 'false'),
    ],
    [
      'Alertmanager is not asked',
      'a silence of Alertmanager',
      idle('incidents/reconcile-loop.js', /async function once\(\) \{/),
    ],
    ['the auditor does not audit', 'dead-man', idle('incidents/auditor.js', /async function audit\(\) \{/)],
    ['nobody is pinged', 'dead-man', idle('jobs/dead-man.js', /async function ping\(\) \{/)],
  ],
  night: [
    [
      'nothing climbs a ladder',
      'a page passed on',
      idle('outbox/climb.js', /async climbDue\(\) \{/, 'false'),
    ],
    [
      'a pager that failed is never asked again',
      'a page tried again',
      without(
        'outbox/gates.js',
        /const shutUntil = /,
        "if (gate.failures > 0) return { kind: 'shut', forMs: 3_600_000 }; $&",
      ),
    ],
    [
      'the ping goes whatever the audit says',
      'no dead-man ping',
      without('jobs/dead-man.js', /options\.passedAgoMs\(\) > FRESH_MS \? 'withheld' : /),
    ],
    [
      'the audit finds nothing, ever',
      'no dead-man ping',
      without('store/audit-store.js', /return found\.flat\(\);/, 'return [];'),
    ],
  ],
  // The same as in the day, without anybody who knows what must be heard.
  watched: [
    ['intake stores no work', 'auditor: undiagnosed', STORE_WORK],
    ['intake stores no message', 'dead-man', STORE_MESSAGES],
    ['work is not claimed', 'auditor: work', CLAIM_WORK],
    ['messages are not claimed', 'dead-man', CLAIM_MESSAGES],
    ['timers do not fire', 'auditor: unreminded', TURN_TIMERS],
    ['reminders are not planned', 'auditor: unreminded', PLAN_REMINDERS],
    ['a resolve is not passed on', 'auditor: unresolved', TELL_PAGER_OF_RESOLVE],
  ],
  locked: [
    [
      'no glass is broken',
      'a critical that cannot',
      idle('outbox/break-glass.js', /async function admit\(page\) \{/, 'true'),
    ],
  ],
  jobs: [
    [
      'a backup is not made',
      'a backup',
      idle('jobs/housekeeping.js', /async function backUpOnce\(file, options\) \{/, '{}'),
    ],
    [
      'nothing is deleted',
      'an old receipt',
      idle('jobs/housekeeping.js', /export async function deleteExpired\(options\) \{/, '{}'),
    ],
  ],
};

/** Patches a build in place. Throws when the text is not there exactly once. */
export function silence(dist: string, { file, find, replace }: Patch): void {
  const path = join(dist, file);
  writeFileSync(path, replaceOnce(readFileSync(path, 'utf8'), find, replace, file));
}
