import { llm } from './llm.js';
import { ENGINE_NAMES, type EngineName, type SnapshotDialect } from './snapshot-dialect.js';
import { vllm } from './vllm.js';

const DIALECTS: Readonly<Partial<Record<EngineName, SnapshotDialect>>> = { llm, vllm };

/** Engines that have a dialect here. */
export const DIALECT_NAMES: readonly EngineName[] = ENGINE_NAMES.filter(
  (name) => DIALECTS[name] !== undefined,
);

export function dialectOf(engine: EngineName): SnapshotDialect {
  const dialect = DIALECTS[engine];
  if (dialect === undefined) throw new Error(`no dialect is written for ${engine}`);
  return dialect;
}
