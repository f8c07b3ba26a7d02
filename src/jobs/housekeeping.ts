/** The scheduled jobs of the service: backups, and deleting what is past its age. */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { Clock } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import { backUp, backupName, defaultBackupDirectory, pruneBackups } from '../store/backup.js';
import type { Database } from '../store/database.js';
import { createRetentionStore } from '../store/retention-store.js';
import type { TroubleBoard } from '../store/trouble-board.js';
import { deleteInSlices } from './delete-in-slices.js';
import { type Cron, type JobDeps, type ScheduledJob, startScheduledJob } from './scheduled-job.js';

/** Every minute: a change of serving health is an event to read, and pages nobody. */
const HEALTH_SCHEDULE = '* * * * *';

/** Off the full hour, when everybody else's jobs run. */
const RETENTION_SCHEDULE = '43 * * * *';

export type HousekeepingDeps = {
  readonly db: Database;
  readonly config: Pick<Config, 'backup' | 'retention'>;
  readonly troubles: TroubleBoard;
  /** Evaluates serving health and keeps what changed. */
  readonly keepHealth: () => Promise<object>;
  readonly cron: Cron;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: NonNullable<JobDeps['metrics']>;
};

/** Begins them; `stop` gives up what runs. */
export function startHousekeeping(deps: HousekeepingDeps): ScheduledJob {
  const { db, config, troubles } = deps;
  const { cron, clock, logger, metrics } = deps;
  const common = { cron, clock, logger, metrics };
  const jobs = [
    startScheduledJob({
      ...common,
      name: 'retention',
      schedule: RETENTION_SCHEDULE,
      run: (signal) => deleteExpired({ db, retention: config.retention, clock, signal }),
    }),
  ];
  jobs.push(
    startScheduledJob({
      ...common,
      name: 'serving_health',
      schedule: HEALTH_SCHEDULE,
      run: deps.keepHealth,
    }),
  );
  const { file } = db;
  const { schedule } = config.backup;
  if (schedule !== null && file !== null) {
    jobs.push(
      startScheduledJob({
        ...common,
        name: 'backup',
        schedule,
        run: (signal) => backUpOnce(file, { ...config.backup, clock, signal }),
        onMissed: (detail) => troubles.say('backup_missed', detail),
      }),
    );
  }
  return {
    async stop() {
      await Promise.all(jobs.map((job) => job.stop()));
    },
  };
}

/** One backup under the name of now; older ones beyond `keep` go. */
async function backUpOnce(
  file: string,
  options: Pick<Config['backup'], 'directory' | 'keep'> & {
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<object> {
  const directory = options.directory ?? defaultBackupDirectory(file);
  const { clock, signal } = options;
  const target = join(directory, backupName(clock.now()));
  const made = await backUp({ file, target, monotonic: clock.monotonic, signal });
  return { file: made.file, bytes: made.bytes, removed: pruneBackups(directory, options.keep).length };
}

/** Deletes what is past its age, smallest consequence first. Returns how many rows went. */
export async function deleteExpired(options: {
  readonly db: Database;
  readonly retention: Config['retention'];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<{ readonly receipts: number; readonly recordings: number; readonly incidentRows: number }> {
  const { db, retention, clock } = options;
  const store = createRetentionStore();
  const sweep = (ageMs: number, kind: keyof typeof store) => {
    const beforeMs = clock.now() - ageMs;
    return deleteInSlices((limit) => db.transaction((tx) => store[kind](tx, { beforeMs, limit })), options);
  };
  return {
    receipts: await sweep(retention.receiptsMs, 'deleteReceipts'),
    recordings: await sweep(retention.recordingsMs, 'deleteRecordings'),
    incidentRows: await sweep(retention.incidentsMs, 'deleteIncidents'),
  };
}
