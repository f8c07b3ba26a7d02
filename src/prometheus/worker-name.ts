import type { EngineFile } from '../catalog/engine-file.js';
import { type Labels, labelValue } from '../domain/labels.js';

/** `decode-3`, or `decode-3/1` for the second rank; null when the series is not a worker's. */
export function workerName(engine: EngineFile, labels: Labels): string | null {
  const name = engine.worker
    .map((label) => labelValue(labels, label))
    .find((value) => value !== undefined && value !== '');
  if (name === undefined) return null;
  const rank = engine.rank === undefined ? undefined : labelValue(labels, engine.rank);
  return rank === undefined || rank === '' || rank === '0' ? name : `${name}/${rank}`;
}
