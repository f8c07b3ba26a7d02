import { expect, test } from 'vitest';
import { replaceOnce } from '../../bench/torture/mutants.js';

test('a mutant whose text is not in the build, or there twice, is refused', () => {
  expect(() => replaceOnce('synchronous = NORMAL', /synchronous = FULL/, 'x', 'here')).toThrow(
    'found it 0 times',
  );
  expect(() => replaceOnce('a a', /a/, 'b', 'here')).toThrow('found it 2 times');
  expect(replaceOnce('a b', /a/, 'c', 'here')).toBe('c b');
});
