/** `wakewell replay`: a recorded incident diagnosed again, offline, by the playbooks of today. */

import { existsSync } from 'node:fs';
import { judgeReplay } from '../diagnosis/judge-replay.js';
import type { Recording } from '../diagnosis/recording.js';
import { clean } from '../render/neutralise.js';
import { downloadService } from './call-service.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { diagnosisLines } from './print.js';
import { differenceLines, playbooksFor, readRecordingBytes, readRecordingFile } from './recordings.js';

export type ReplayOptions = {
  readonly playbooks?: string;
  /** Which alert fired, for a recording that does not say. */
  readonly alert?: string;
  readonly json: boolean;
};

/** Exit 1 when anything differs from what was recorded, 2 when the file is none. Only an incident's number asks the service. */
export async function replayCommand(what: string, options: ReplayOptions): Promise<number> {
  const config = requireConfig();
  const recording = await recordingOf(what);
  const playbooks = playbooksFor(config, options.playbooks);
  const { diagnosed } = recording;
  if (diagnosed === null && options.alert === undefined) {
    throw new CommandFailure(EXIT.usage, `${what} does not say which alert fired: add --alert <name>`);
  }
  const alert =
    options.alert === undefined
      ? {}
      : {
          alert: {
            name: options.alert,
            labels: { ...recording.scope, alertname: options.alert },
            expression: null,
          },
        };
  const judged = await judgeReplay(recording, { ...playbooks, ...alert });
  const { comparison, outcome } = judged;
  const differs = comparison !== null && comparison.kind !== 'same';
  if (options.json) {
    console.log(
      JSON.stringify({
        incident: diagnosed?.incident ?? null,
        at: new Date(recording.atMs).toISOString(),
        entry: outcome.entryId,
        compared: comparison?.kind ?? null,
        differences: comparison?.differences ?? [],
        changes: judged.changes,
        thresholds: judged.thresholds,
        as_recorded: judged.asRecorded,
        verdict: outcome.verdict,
        findings: outcome.findings,
      }),
    );
    return differs ? EXIT.found : EXIT.fine;
  }
  console.log([...diagnosisLines(outcome), '', headOf(recording, outcome.entryId)].join('\n'));
  if (comparison === null) console.log('No verdict was recorded: there is nothing to compare with.');
  else if (!differs) {
    const count = outcome.findings.length;
    console.log(`The replay matches the recording: ${count} of ${count} checks, the same verdict.`);
  } else {
    const stands =
      comparison.kind === 'verdict' ? 'The verdict is another:' : 'The verdict stands; what differs:';
    console.log([stands, ...differenceLines(judged).map((line) => `  ${line}`)].join('\n'));
  }
  return differs ? EXIT.found : EXIT.fine;
}

async function recordingOf(what: string): Promise<Recording> {
  if (existsSync(what)) return readRecordingFile(what);
  const id = /^(?:inc-?)?(\d{1,15})$/i.exec(what.trim())?.[1];
  if (id === undefined)
    throw new CommandFailure(EXIT.usage, `there is no file ${what}, and it is no incident such as INC-412`);
  return readRecordingBytes(await downloadService(`/api/v1/incidents/${id}/recording`), what);
}

function headOf({ diagnosed, atMs, scope }: Recording, entryId: string): string {
  const what = [diagnosed?.incident, diagnosed?.alert.name, Object.values(scope).join('/')].filter(Boolean);
  return clean(`${what.join(' ')}, as of ${new Date(atMs).toISOString()}, by entry ${entryId}.`);
}
