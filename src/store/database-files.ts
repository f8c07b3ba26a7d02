/** The files of one database, by the path of its main file. */

export type DatabaseFiles = {
  /** SQLite's write-ahead log: what was committed and is not in the main file yet. */
  readonly wal: string;
  readonly shm: string;
  /** Held by the one process that may write. */
  readonly lock: string;
  /** Remembers which database belongs here. */
  readonly identity: string;
  /** Space kept for the moment when the disk is full. */
  readonly ballast: string;
};

export function filesOf(file: string): DatabaseFiles {
  return {
    wal: `${file}-wal`,
    shm: `${file}-shm`,
    lock: `${file}.lock`,
    identity: `${file}.identity`,
    ballast: `${file}.ballast`,
  };
}
