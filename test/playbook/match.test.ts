import { describe, expect, test } from 'vitest';
import { explainsFrom } from '../../src/playbook/explains.js';
import { matchEntry } from '../../src/playbook/match.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';
import { ALERT_NAMES, BUILT_IN } from '../support/playbooks.js';

function entry(id: string, match: PlaybookEntry['match'], isDefault = false): PlaybookEntry {
  return {
    id,
    file: `${id}.yaml`,
    isDefault,
    match,
    title: id,
    symptoms: [],
    steps: [],
    causes: [],
    unclear: null,
    escalation: [],
  };
}
const is = (name: string, value: string) => [{ name, operator: '=' as const, value }];
const matches = (name: string, value: string) => [{ name, operator: '=~' as const, value }];

const FALLBACK = entry('default', [], true);

describe('the entry of an alert', () => {
  test('is its own', () => {
    expect(matchEntry(BUILT_IN.entries, { alertname: 'LLMElevatedTTFT' })).toMatchObject({
      entry: { id: 'high-ttft' },
      isDefault: false,
    });
  });

  test('is the default one where it has none, and that is said', () => {
    expect(matchEntry(BUILT_IN.entries, { alertname: 'Custom' })).toMatchObject({
      entry: { id: 'default' },
      isDefault: true,
      why: 'Custom has no entry of its own: the default one ran',
    });
  });

  test('is the one that asks for more labels', () => {
    const entries = [
      FALLBACK,
      entry('b', [is('alertname', 'A'), is('team', 'chat')]),
      entry('a', [is('alertname', 'A')]),
    ];

    expect(matchEntry(entries, { alertname: 'A', team: 'chat' }).entry.id).toBe('b');
    expect(matchEntry(entries, { alertname: 'A', team: 'search' }).entry.id).toBe('a');
    expect(matchEntry(entries, { alertname: 'A' }).entry.id).toBe('a');
  });

  test('is an exact one before a pattern, and patterns are anchored', () => {
    const entries = [
      FALLBACK,
      entry('exact', [is('alertname', 'LLMx')]),
      entry('pattern', [matches('alertname', 'LLM.')]),
    ];

    expect(matchEntry(entries, { alertname: 'LLMx' }).entry.id).toBe('exact');
    expect(matchEntry(entries, { alertname: 'LLMy' }).entry.id).toBe('pattern');
    expect(matchEntry(entries, { alertname: 'LLMyy' }).isDefault).toBe(true);
  });

  test('is an empty one where nothing was loaded, so that an alert is never without', () => {
    expect(matchEntry([], { alertname: 'A' })).toMatchObject({ isDefault: true, entry: { steps: [] } });
  });

  test('is found for labels called __proto__ as for any other', () => {
    const labels = Object.assign(Object.create(null), { alertname: 'constructor', ['__proto__']: 'x' });

    expect(matchEntry(BUILT_IN.entries, labels).isDefault).toBe(true);
  });
});

describe('what explains what', () => {
  const explains = explainsFrom(BUILT_IN.entries);

  test.each([
    // The alerts that one scenario of the simulator raises together.
    [
      'LLMHighTTFT',
      'LLMKVCachePressure',
      'LLMPreemptionStorm',
      'LLMQueueBuildup',
      'LLMElevatedTTFT',
      'LLMHighTBT',
      'LLMHighErrorRate',
    ],
    ['LLMHighErrorRate', 'LLMHighTTFT', 'LLMQueueBuildup', 'LLMGPUMemoryCritical'],
  ])('alerts of one problem fold whichever comes first: %s …', (...names) => {
    for (const a of names) {
      for (const b of names)
        if (a !== b) expect(explains(a, b) || explains(b, a), `${a} and ${b}`).toBe(true);
    }
  });

  test('KV pressure explains slow first tokens', () => {
    expect(explains('LLMKVCachePressure', 'LLMHighTTFT')).toBe(true);
  });

  test('an alert without an entry explains nothing and is explained by nothing', () => {
    for (const name of ALERT_NAMES) {
      expect(explains('NodeDown', name)).toBe(false);
      expect(explains(name, 'NodeDown')).toBe(false);
    }
  });

  test('a cause that cannot show as the first alert does not connect it with the second', () => {
    const only = explainsFrom(BUILT_IN.entries.filter((one) => one.id === 'high-tbt'));

    expect(only('LLMHighTBT', 'LLMGPUMemoryCritical')).toBe(true);
    expect(only('LLMHighErrorRate', 'LLMHighTBT')).toBe(false);
  });
});
