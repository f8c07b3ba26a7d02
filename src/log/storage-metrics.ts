/** The service's metrics about its own storage. Label values are bounded: troubles come from a closed list. */

import { Counter, Gauge, type Registry } from 'prom-client';

export type StorageMetrics = ReturnType<typeof createStorageMetrics>;

export function createStorageMetrics(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const trouble = new Gauge({
    name: 'wakewell_database_trouble',
    help: '1 while something is wrong with the storage, by what',
    labelNames: ['kind'],
    registers,
  });
  const walBytes = gauge('wakewell_database_wal_bytes', 'Size of the write-ahead log');
  const databaseBytes = gauge('wakewell_database_bytes', 'Size of the database file');
  const diskFree = gauge('wakewell_disk_free_bytes', 'Free space where the database lies');
  const ballast = gauge('wakewell_ballast_kept', '1 while space is set aside for a full disk');
  const heartbeat = gauge(
    'wakewell_database_heartbeat_timestamp_seconds',
    'When a heartbeat was last written and read back',
  );
  const checked = gauge(
    'wakewell_database_checked_timestamp_seconds',
    'When every page was last read and found whole',
  );
  const jobRuns = new Counter({
    name: 'wakewell_job_runs_total',
    help: 'Runs of scheduled housekeeping by outcome',
    labelNames: ['job', 'outcome'],
    registers,
  });
  const jobSucceeded = new Gauge({
    name: 'wakewell_job_success_timestamp_seconds',
    help: 'When scheduled housekeeping last succeeded',
    labelNames: ['job'],
    registers,
  });
  const jobMissed = new Gauge({
    name: 'wakewell_job_missed',
    help: '1 while scheduled housekeeping is overdue',
    labelNames: ['job'],
    registers,
  });

  return {
    trouble: (kind: string, present: boolean) => trouble.set({ kind }, present ? 1 : 0),
    sizes(sizes: { readonly wal: number; readonly database: number; readonly free: number | null }): void {
      walBytes.set(sizes.wal);
      databaseBytes.set(sizes.database);
      if (sizes.free !== null) diskFree.set(sizes.free);
    },
    ballast: (kept: boolean) => ballast.set(kept ? 1 : 0),
    heartbeat: (atMs: number) => heartbeat.set(atMs / 1000),
    checked: (atMs: number) => checked.set(atMs / 1000),
    jobRan(job: string, outcome: 'succeeded' | 'failed', atMs: number): void {
      jobRuns.inc({ job, outcome });
      if (outcome === 'succeeded') jobSucceeded.set({ job }, atMs / 1000);
    },
    jobMissed: (job: string, missed: boolean) => jobMissed.set({ job }, missed ? 1 : 0),
  };
}
