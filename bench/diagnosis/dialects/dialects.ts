import { dynamo } from './dynamo.js';
import { llm } from './llm.js';
import { sglang } from './sglang.js';
import type { EngineName, SnapshotDialect } from './snapshot-dialect.js';
import { tgi } from './tgi.js';
import { trtllm } from './trtllm.js';
import { vllm } from './vllm.js';

const DIALECTS: Readonly<Record<EngineName, SnapshotDialect>> = { llm, vllm, sglang, dynamo, trtllm, tgi };

export function dialectOf(engine: EngineName): SnapshotDialect {
  return DIALECTS[engine];
}
