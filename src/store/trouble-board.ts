/** What is wrong with the storage now. Each trouble is told once when it begins: to the log, the metrics and whoever alarms. */

import type { Logger } from '../log/logger.js';

export type TroubleKind =
  /** The file was deleted or replaced under the running service. */
  | 'file_lost'
  /** A page does not hold what was written there. */
  | 'damaged'
  /** A row could not be written and read back. */
  | 'heartbeat_failed'
  /** The start found the database changed; see its notes. */
  | 'found_changed'
  /** The disk was full; the ballast was given back. */
  | 'disk_full'
  /** No ballast could be set aside. */
  | 'disk_low'
  /** The log grows without end: somebody reads for a long time. */
  | 'log_large'
  /** Scheduled backups do not come about. */
  | 'backup_missed';

export type Trouble = { readonly kind: TroubleKind; readonly detail: string };

/** With these nothing can be promised, so the service is not ready. */
const STOPS_INTAKE: ReadonlySet<TroubleKind> = new Set(['file_lost', 'damaged', 'heartbeat_failed']);

export type TroubleBoard = {
  /** Null says that it is over. */
  readonly say: (kind: TroubleKind, detail: string | null) => void;
  readonly has: (kind: TroubleKind) => boolean;
  /** `stops` marks those with which nothing can be promised. */
  readonly list: () => readonly (Trouble & { readonly stops: boolean })[];
};

export function createTroubleBoard(deps: {
  readonly logger: Logger;
  readonly metrics?: { readonly trouble: (kind: TroubleKind, present: boolean) => void };
  /** Called once when a trouble begins; only after its end is it called again. Must not throw. */
  readonly onTrouble: (trouble: Trouble) => void;
}): TroubleBoard {
  const present = new Map<TroubleKind, string>();
  return {
    say(kind, detail) {
      const known = present.has(kind);
      deps.metrics?.trouble(kind, detail !== null);
      if (detail === null) {
        if (present.delete(kind)) deps.logger.info({ kind }, 'storage trouble is over');
        return;
      }
      present.set(kind, detail);
      if (known) return;
      deps.logger.error({ kind, detail }, 'storage in trouble');
      deps.onTrouble({ kind, detail });
    },
    has: (kind) => present.has(kind),
    list: () => [...present].map(([kind, detail]) => ({ kind, detail, stops: STOPS_INTAKE.has(kind) })),
  };
}
