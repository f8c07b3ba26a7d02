/** Prepared statements by text. Kysely's driver prepares anew for every query, which costs more than most queries. */

import type BetterSqlite3 from 'better-sqlite3';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** Enough for every statement of the service several times over; bulk statements have few sizes on purpose. */
const MAX_STATEMENTS = 400;

/** A database for Kysely whose `prepare` answers from a cache, least recently used out first. */
export function withStatementCache(db: BetterSqlite3.Database): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => {
      statements.clear();
      db.close();
    },
    prepare(sql) {
      if (sql === 'rollback') return rollbackOf(db);
      const known = statements.get(sql);
      if (known !== undefined) {
        statements.delete(sql);
        statements.set(sql, known);
        return known;
      }
      const statement = db.prepare(sql) as unknown as SqliteStatement;
      statements.set(sql, statement);
      if (statements.size > MAX_STATEMENTS) {
        const oldest = statements.keys().next();
        if (!oldest.done) statements.delete(oldest.value);
      }
      return statement;
    },
  };
}

/**
 * SQLite has rolled back by itself after a full disk or an I/O error. A second rollback then fails, and its failure
 * would hide the one that tells what happened.
 */
function rollbackOf(db: BetterSqlite3.Database): SqliteStatement {
  const run = () => {
    if (db.inTransaction) db.exec('rollback');
    return { changes: 0, lastInsertRowid: 0 };
  };
  return { reader: false, all: () => [], iterate: () => [][Symbol.iterator](), run };
}
