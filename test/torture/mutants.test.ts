import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS, REPLACEMENTS, replaceOnce } from '../../bench/torture/mutants.js';

test('a mutant whose text is not in the build, or there twice, is refused', () => {
  expect(() => replaceOnce('synchronous = NORMAL', /synchronous = FULL/, 'x', 'here')).toThrow(
    'found it 0 times',
  );
  expect(() => replaceOnce('a a', /a/, 'b', 'here')).toThrow('found it 2 times');
  expect(replaceOnce('a b', /a/, 'c', 'here')).toBe('c b');
});

// The torture takes minutes; that its mutants still fit the source is known in a moment.
test.each(MUTANTS)('what %s changes stands in the source once', (mutant) => {
  for (const { file, find, replace } of REPLACEMENTS[mutant]) {
    const source = readFileSync(join('src', file.replace(/\.js$/, '.ts')), 'utf8');

    expect(replaceOnce(source, find, replace, file)).not.toBe(source);
  }
});
