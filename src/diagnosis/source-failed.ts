import type { SignalReading } from '../domain/signal.js';

/** The reading for a source that throws or rejects, which none should. */
export function sourceFailed(error: unknown): Extract<SignalReading, { kind: 'failed' }> {
  const detail = `the metrics source failed: ${error instanceof Error ? error.message : String(error)}`;
  return { kind: 'failed', reason: 'unreachable', detail, engine: null, query: null };
}
