/** Outcomes of investigations, and the evidence frozen beside them. */

import type { Selectable } from 'kysely';
import { speakingDiagnosis } from '../domain/speaking-diagnosis.js';
import type { Diagnosis, Enrichment, Finding, Verdict } from '../domain/verdict.js';
import type { DiagnosesTable, Tx } from './tables.js';
import type { Work } from './work-store.js';

export type NewDiagnosis = Omit<Diagnosis, 'id'>;

export type NewRecording = {
  readonly incidentId: number;
  readonly diagnosisId: number;
  readonly formatVersion: number;
  readonly recordedAtMs: number;
  /** gzip of JSON; see diagnosis/recording.ts. */
  readonly body: Uint8Array;
};

export type StoredRecording = NewRecording;

/** Diagnoses looked at for the one that speaks; more join an incident only in a storm. */
const MAX_SPEAKING = 20;

export type DiagnosisStore = ReturnType<typeof createDiagnosisStore>;

export function createDiagnosisStore() {
  return {
    /** Stores a diagnosis and returns its id. */
    async insertDiagnosis(tx: Tx, diagnosis: NewDiagnosis): Promise<number> {
      const row = await tx
        .insertInto('diagnoses')
        .values({
          incident_id: diagnosis.incidentId,
          episode_id: diagnosis.episodeId,
          trigger: diagnosis.trigger,
          started_at: diagnosis.startedAtMs,
          finished_at: diagnosis.finishedAtMs,
          entry_id: diagnosis.entryId,
          entry_is_default: diagnosis.entryIsDefault ? 1 : 0,
          enrichment: JSON.stringify(diagnosis.enrichment),
          findings: JSON.stringify(diagnosis.findings),
          verdict: JSON.stringify(diagnosis.verdict),
        })
        .returning('id')
        .executeTakeFirstOrThrow();
      return row.id;
    },

    /** Stores the frozen evidence of a diagnosis. A second one for the same diagnosis is left out. */
    async insertRecording(tx: Tx, recording: NewRecording): Promise<void> {
      await tx
        .insertInto('recordings')
        .values({
          incident_id: recording.incidentId,
          diagnosis_id: recording.diagnosisId,
          format_version: recording.formatVersion,
          recorded_at: recording.recordedAtMs,
          body: recording.body,
        })
        .onConflict((conflict) => conflict.column('diagnosis_id').doNothing())
        .execute();
    },

    /**
     * The diagnosis that an earlier, interrupted try of this work already committed, and whether its evidence
     * was frozen too; null when there is none. Work and diagnosis are matched by incident, trigger and time.
     */
    async findSince(
      tx: Tx,
      work: Pick<Work, 'incidentId' | 'episodeId' | 'trigger' | 'createdAtMs'>,
    ): Promise<{ readonly id: number; readonly recorded: boolean } | null> {
      const row = await tx
        .selectFrom('diagnoses')
        .leftJoin('recordings', 'recordings.diagnosis_id', 'diagnoses.id')
        .select(['diagnoses.id', 'recordings.id as recording_id'])
        .where('diagnoses.incident_id', '=', work.incidentId)
        .where('diagnoses.episode_id', '=', work.episodeId)
        .where('diagnoses.trigger', '=', work.trigger)
        .where('diagnoses.started_at', '>=', work.createdAtMs)
        .orderBy('diagnoses.id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : { id: row.id, recorded: row.recording_id !== null };
    },

    /** Whether an episode had a diagnosis made while firing before `diagnosisId`. */
    async hasEarlierVerdict(tx: Tx, episodeId: number, diagnosisId: number): Promise<boolean> {
      const row = await tx
        .selectFrom('diagnoses')
        .innerJoin('episodes', (join) =>
          join.onRef('episodes.incident_id', '=', 'diagnoses.incident_id').on('episodes.id', '=', episodeId),
        )
        .select('diagnoses.id')
        .where('diagnoses.episode_id', '=', episodeId)
        .where('diagnoses.id', '<', diagnosisId)
        .where('diagnoses.trigger', '<>', 'resolved')
        .executeTakeFirst();
      return row !== undefined;
    },

    /** The diagnosis that speaks for one episode (domain/speaking-diagnosis.ts); null while there is none. */
    async speakingOf(tx: Tx, incidentId: number, episodeId: number): Promise<Diagnosis | null> {
      const rows = await tx
        .selectFrom('diagnoses')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .where('episode_id', '=', episodeId)
        .where('trigger', '<>', 'resolved')
        .orderBy('id', 'desc')
        .limit(MAX_SPEAKING)
        .execute();
      return speakingDiagnosis(rows.reverse().map(toDiagnosis));
    },

    /** Every diagnosis of an incident, newest first. */
    async diagnosesOf(tx: Tx, incidentId: number): Promise<Diagnosis[]> {
      const rows = await tx
        .selectFrom('diagnoses')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toDiagnosis);
    },

    /** The frozen evidence of one diagnosis, or the incident's newest when `diagnosisId` is absent; null when there is none. */
    async readRecording(tx: Tx, incidentId: number, diagnosisId?: number): Promise<StoredRecording | null> {
      let query = tx.selectFrom('recordings').selectAll().where('incident_id', '=', incidentId);
      if (diagnosisId !== undefined) query = query.where('diagnosis_id', '=', diagnosisId);
      const row = await query.orderBy('id', 'desc').limit(1).executeTakeFirst();
      if (row === undefined) return null;
      return {
        incidentId: row.incident_id,
        diagnosisId: row.diagnosis_id,
        formatVersion: row.format_version,
        recordedAtMs: row.recorded_at,
        body: row.body,
      };
    },
  };
}

export function toDiagnosis(row: Selectable<DiagnosesTable>): Diagnosis {
  return {
    id: row.id,
    incidentId: row.incident_id,
    episodeId: row.episode_id,
    trigger: row.trigger,
    startedAtMs: row.started_at,
    finishedAtMs: row.finished_at,
    entryId: row.entry_id,
    entryIsDefault: row.entry_is_default === 1,
    enrichment: JSON.parse(row.enrichment) as Enrichment,
    findings: JSON.parse(row.findings) as Finding[],
    verdict: JSON.parse(row.verdict) as Verdict,
  };
}
