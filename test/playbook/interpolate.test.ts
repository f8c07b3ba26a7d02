import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpolate, interpolateCommand, shellQuoted } from '../../src/playbook/interpolate.js';
import { fillQuery, lintQuery } from '../../src/playbook/lint-query.js';

const VALUES: Readonly<Record<string, string>> = {
  'kv.max': '97%',
  'scope.namespace': 'a b',
  'kv.evil': '{kv.max}',
};
const lookup = (step: string, name: string) => VALUES[`${step}.${name}`];

describe('a text', () => {
  test.each([
    ['KV {kv.max} full', 'KV 97% full'],
    ['{kv.none} of KV', 'not seen of KV'],
    ['what is filled in is not read again: {kv.evil}', 'what is filled in is not read again: {kv.max}'],
    [`-d '{"model": "<m>", "x": 0.85}'`, `-d '{"model": "<m>", "x": 0.85}'`],
    ['$' + '{a.b} is the shell’s', '$' + '{a.b} is the shell’s'],
  ])('%s', (text, expected) => {
    expect(interpolate(text, lookup)).toBe(expected);
  });
});

describe('a command', () => {
  test('quotes what comes from labels and marks what is missing', () => {
    expect(interpolateCommand('kubectl -n {scope.namespace} delete pod {kv.none}', lookup)).toBe(
      "kubectl -n 'a b' delete pod <kv.none>",
    );
  });

  test.each(['x; rm -rf /', '$(reboot)', '`id`', "a'b", '-rf', 'a\nb', '', '"'])(
    '%j stays one argument',
    (value) => {
      const out = execFileSync('/bin/sh', ['-c', `printf '%s' ${shellQuoted(value)}`], { encoding: 'utf8' });

      expect(out).toBe(value.replace('\n', ' '));
    },
  );
});

describe('an operator’s query', () => {
  test('is filled with quoted values', () => {
    expect(fillQuery('up{model="{scope.model}"}', { model: 'a"} or up{x="' })).toEqual({
      query: 'up{model="a\\"} or up{x=\\""}',
    });
  });

  test('is not asked when a label is missing, since it would become wider', () => {
    expect(fillQuery('up{model="{scope.model}"}', {})).toEqual({ missing: 'model' });
    expect(fillQuery('up{model="{scope.constructor}"}', {})).toEqual({ missing: 'constructor' });
  });

  test('stays one valid expression whatever the label holds', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (value) => {
        const filled = fillQuery('sum(up{model="{scope.model}"})', { model: value });
        expect('query' in filled && lintQuery(filled.query.replaceAll(/\{scope\./g, '{_'))).toEqual([]);
      }),
    );
  });
});
