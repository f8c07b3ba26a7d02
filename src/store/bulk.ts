/**
 * Multi-row statements in few sizes. A statement is compiled by Kysely once a table and size (which keeps it
 * portable), then only its parameters change: compiling and preparing cost more than running it.
 */

import type { CompiledQuery } from 'kysely';
import type { Tables, Tx } from './tables.js';

/** Rows are written in slices of these sizes: any number of rows needs at most a handful of prepared statements. */
const SLICES = [256, 64, 16, 4, 1] as const;

/** Longest list of one `in (…)`; longer ones are asked in slices. */
const MAX_LIST = 1024;

/** Compiles one statement for `count` rows (or values); parameters in row order. */
export type CompileFor = (tx: Tx, count: number) => CompiledQuery<unknown>;

export type BulkStatement = {
  /** Runs the statement over all rows, slice by slice, and returns what it returned. */
  readonly run: (tx: Tx, rows: readonly (readonly unknown[])[]) => Promise<Record<string, unknown>[]>;
};

/** Makes a statement that is compiled once a slice size. Every row has the columns in the order that `compile` uses. */
export function bulkStatement(compile: CompileFor): BulkStatement {
  const compiled = new Map<number, CompiledQuery<unknown>>();
  return {
    async run(tx, rows) {
      const results: Record<string, unknown>[] = [];
      let from = 0;
      for (const size of SLICES) {
        while (rows.length - from >= size) {
          let query = compiled.get(size);
          if (query === undefined) {
            query = compile(tx, size);
            compiled.set(size, query);
          }
          const parameters: unknown[] = [];
          for (let index = from; index < from + size; index += 1) parameters.push(...(rows[index] ?? []));
          const result = await tx.executeQuery({ ...query, parameters });
          for (const row of result.rows) results.push(row as Record<string, unknown>);
          from += size;
        }
      }
      return results;
    },
  };
}

export type ListStatement<Row> = {
  /** Asks for a list of values, slice by slice. `before` are the parameters that stand before the list in the text. */
  readonly run: (
    tx: Tx,
    list: readonly unknown[],
    before?: readonly unknown[],
    after?: readonly unknown[],
  ) => Promise<Row[]>;
};

/**
 * Makes a statement with one `in (…)`, compiled once a size of its list. `compile` gets placeholders for the
 * list, and must use the other parameters in the order in which `run` is given them.
 */
export function listStatement<Row>(
  compile: (tx: Tx, list: never[]) => CompiledQuery<Row>,
): ListStatement<Row> {
  const compiled = new Map<number, CompiledQuery<Row>>();
  return {
    async run(tx, list, before = [], after = []) {
      const rows: Row[] = [];
      for (const slice of listSlices(list)) {
        let query = compiled.get(slice.length);
        if (query === undefined) {
          query = compile(tx, slice.map(() => 0) as never[]);
          compiled.set(slice.length, query);
        }
        const result = await tx.executeQuery<Row>({ ...query, parameters: [...before, ...slice, ...after] });
        for (const row of result.rows) rows.push(row);
      }
      return rows;
    },
  };
}

/** Rows of placeholders for compiling an insert: every value becomes one parameter. */
export function placeholderRows<T extends keyof Tables>(
  _table: T,
  columns: readonly (keyof Tables[T] & string)[],
  count: number,
): never[] {
  const row = Object.fromEntries(columns.map((column) => [column, 0]));
  return Array.from({ length: count }, () => row) as never[];
}

/**
 * Splits a list for `in (…)` and pads each part to a power of two by repeating its last value, so that the
 * texts of such statements stay few.
 */
export function listSlices<T>(values: readonly T[]): T[][] {
  const slices: T[][] = [];
  for (let from = 0; from < values.length; from += MAX_LIST) {
    const slice = values.slice(from, from + MAX_LIST);
    const size = 2 ** Math.ceil(Math.log2(slice.length));
    const last = slice.at(-1);
    while (slice.length < size && last !== undefined) slice.push(last);
    slices.push(slice);
  }
  return slices;
}
