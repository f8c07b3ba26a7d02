import { expect, test } from 'vitest';
import { moveTimes } from '../../bench/page/recording-proxy.js';

test('a recorded read is asked again about the same distance back from now', () => {
  const moved = new URLSearchParams(
    moveTimes('query=up%7Ba%3D%22b%22%7D&start=100.5&end=160.5&step=5&timeout=3s', 2_250),
  );

  expect(Object.fromEntries(moved)).toEqual({
    query: 'up{a="b"}',
    start: '102.75',
    end: '162.75',
    step: '5',
    timeout: '3s',
  });
});
