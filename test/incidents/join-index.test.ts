import { describe, expect, test } from 'vitest';
import { compatibleScopes, type Scope } from '../../src/domain/scope.js';
import type { SureVerdict } from '../../src/domain/sure-verdict.js';
import { createJoinIndex } from '../../src/incidents/join-index.js';

const explains = (cause: string, other: string) => cause === 'KV' && other === 'TTFT';
const incident = (id: number, scope: Scope, sureVerdict: SureVerdict | null = null) => ({
  id,
  source: 'am',
  scope,
  sureVerdict,
});
const asked = (name: string, scope: Scope) => ({ source: 'am', name, scope });

test('the same place wins over one that merely does not disagree, whatever came first', () => {
  const index = createJoinIndex<ReturnType<typeof incident>>(explains);
  index.add(incident(1, { model: 'a', cluster: 'x' }), 'TTFT');
  index.add(incident(2, { model: 'a' }), 'KV');

  expect(index.find(asked('TTFT', { model: 'a' }))).toMatchObject({
    incident: { id: 2 },
    why: 'KV explains it, same scope',
  });
  expect(index.find(asked('TTFT', { model: 'a', cluster: 'x' }))).toMatchObject({ incident: { id: 1 } });
});

test('of two in the same place the newest is joined', () => {
  const index = createJoinIndex<ReturnType<typeof incident>>(explains);
  index.add(incident(1, { model: 'a' }), 'TTFT');
  index.add(incident(2, { model: 'a' }), 'TTFT');

  expect(index.find(asked('TTFT', { model: 'a' }))?.incident.id).toBe(2);
});

test('an answer is not remembered past the next incident', () => {
  const index = createJoinIndex<ReturnType<typeof incident>>(explains);
  expect(index.find(asked('TTFT', { model: 'a' }))).toBeNull();

  index.add(incident(1, { model: 'a' }), 'KV');

  expect(index.find(asked('TTFT', { model: 'a' }))?.incident.id).toBe(1);
});

test('an incident that is found by two names is one candidate', () => {
  const index = createJoinIndex<ReturnType<typeof incident>>(explains);
  const only = incident(1, { model: 'a', cluster: 'x' });
  index.add(only, 'TTFT');
  index.add(only, 'KV');

  expect(index.find(asked('TTFT', { model: 'a' }))?.incident).toBe(only);
});

test('compatible scopes are found exactly as the rule of the domain says', () => {
  const scopes: Scope[] = [{}];
  for (const cluster of [undefined, 'x', 'y']) {
    for (const model of [undefined, 'a', 'b']) {
      for (const namespace of [undefined, 'n']) {
        scopes.push({
          ...(cluster === undefined ? {} : { cluster }),
          ...(model === undefined ? {} : { model }),
          ...(namespace === undefined ? {} : { namespace }),
        });
      }
    }
  }
  for (const theirs of scopes) {
    const index = createJoinIndex<ReturnType<typeof incident>>(explains);
    index.add(incident(1, theirs), 'TTFT');
    for (const ours of scopes) {
      const found = index.find(asked('TTFT', ours)) !== null;
      expect([theirs, ours, found]).toEqual([theirs, ours, compatibleScopes(theirs, ours)]);
    }
  }
});

test('ten thousand names and places are not compared with each other', () => {
  let compared = 0;
  const index = createJoinIndex<ReturnType<typeof incident>>(() => {
    compared += 1;
    return false;
  });
  for (let n = 0; n < 10_000; n += 1) {
    index.find(asked(`N${n}`, { model: `m${n}` }));
    index.add(incident(n, { model: `m${n}` }), `N${n}`);
  }

  expect(compared).toBeLessThanOrEqual(10_000 * 300 * 2);
});

describe('what was diagnosed', () => {
  const kvFull: SureVerdict = { cause: 'kv_full', confidence: 'high', explains: ['KV', 'Queue'] };
  const place = { model: 'a' };

  test('explains what nothing declares', () => {
    const index = createJoinIndex<ReturnType<typeof incident>>(() => false);
    index.add(incident(1, place, kvFull), 'KV');

    expect(index.find(asked('Queue', place))).toMatchObject({
      incident: { id: 1 },
      why: 'the diagnosed cause explains it, same scope',
    });
  });

  test('takes back what is declared', () => {
    const index = createJoinIndex<ReturnType<typeof incident>>(explains);
    index.add(incident(1, place, kvFull), 'KV');

    expect(index.find(asked('TTFT', place))).toBeNull();
  });

  test('does not keep out a cause that comes later', () => {
    const index = createJoinIndex<ReturnType<typeof incident>>(explains);
    index.add(incident(1, place, { ...kvFull, explains: ['TTFT'] }), 'TTFT');

    expect(index.find(asked('KV', place))).toMatchObject({ why: 'KV explains TTFT, same scope' });
  });

  test('outweighs a declaration of the same place', () => {
    const index = createJoinIndex<ReturnType<typeof incident>>((cause) => cause === 'Errors');
    index.add(incident(1, place, kvFull), 'KV');
    index.add(incident(2, place), 'Errors');

    expect(index.find(asked('Queue', place))?.incident.id).toBe(1);
  });

  test('of two diagnosed in the same place neither gets the alert', () => {
    const index = createJoinIndex<ReturnType<typeof incident>>(explains);
    index.add(incident(1, place, kvFull), 'KV');
    index.add(incident(2, place, kvFull), 'GPU');

    expect(index.find(asked('Queue', place))).toBeNull();
  });
});

test('of two that explain it in the same place neither gets the alert', () => {
  const index = createJoinIndex<ReturnType<typeof incident>>((_cause, other) => other === 'TTFT');
  index.add(incident(1, { model: 'a' }), 'KV');
  index.add(incident(2, { model: 'a' }), 'GPU');

  expect(index.find(asked('TTFT', { model: 'a' }))).toBeNull();
});
