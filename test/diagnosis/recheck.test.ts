/** A check made again for an escalation: the built-in conditions against live metrics. */

import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { recheck } from '../../src/diagnosis/recheck.js';
import { createManualClock } from '../support/manual-clock.js';
import { BUILT_IN } from '../support/playbooks.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);

async function again(entryId: string, table: Readonly<Record<string, Script>>) {
  const entry = BUILT_IN.entries.find((one) => one.id === entryId);
  const check = entry?.escalation[0]?.onlyIf;
  if (entry === undefined || check == null) throw new Error(`${entryId} escalates without a condition`);
  const source = createScriptedSource(table);
  const clock = createManualClock({ nowMs: NOW });
  const scope = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
  const options = { entry, scope, source, clock, thresholds: DEFAULT_THRESHOLDS, atMs: NOW, timeScale: 1 };
  const running = recheck(check, { ...options, deadlineMs: 4000 });
  await clock.advance(4000);
  return { rechecked: await running, asked: source.asked };
}

describe('blocks never free, fifteen minutes into a preemption storm', () => {
  test('holds while a worker has none, and only that is asked', async () => {
    const { rechecked, asked } = await again('preemption-storm', { kv_blocks_free: [0, 120, 80] });
    expect(rechecked.state).toBe('holds');
    expect(rechecked.says).toMatch(/^Free KV blocks: .*1 of 3 workers/);
    expect([...new Set(asked.map((one) => one.replace('range ', '')))]).toEqual(['kv_blocks_free']);
  });

  test('does not hold once they are free again', async () => {
    const { rechecked } = await again('preemption-storm', { kv_blocks_free: [400, 120, 80] });
    expect(rechecked.state).toBe('not');
  });

  test.each<[string, Record<string, Script>]>([
    ['has no series', {}],
    ['never answers', { kv_blocks_free: 'hang' }],
    ['throws', { kv_blocks_free: new Error('boom') }],
  ])('is unseen, with the reason, when the source %s', async (_, table) => {
    const { rechecked } = await again('preemption-storm', table);
    expect(rechecked.state).toBe('unseen');
    expect(rechecked.says).toMatch(/^Free KV blocks: ./);
  });
});

test('workers that keep crashing are counted anew', async () => {
  expect((await again('high-error-rate', { worker_restarts: [0, 3] })).rechecked.state).toBe('holds');
  expect((await again('high-error-rate', { worker_restarts: [0, 0] })).rechecked.state).toBe('not');
});
