import { expect, test } from 'vitest';
import { createSecret } from '../../src/config/secret.js';
import { createLogger } from '../../src/log/logger.js';

function capture(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => lines.push(line) } });
  return { logger, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('one event is one JSON line with its message, fields and time', () => {
  const { logger, lines, entries } = capture();

  logger.child({ part: 'intake' }).warn({ incidentId: 412, label: 'a\nb\u001b[31m' }, 'late');

  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u);
  expect(entries()[0]).toMatchObject({ level: 40, part: 'intake', incidentId: 412, msg: 'late' });
  expect(entries()[0]?.time).toMatch(/^\d{4}-\d{2}-\d{2}T.*Z$/);
});

test('secrets are cut out, by name and by type', () => {
  const { logger, lines } = capture();

  logger.info(
    { token: 'MARKER', headers: { authorization: 'Bearer MARKER' }, own: createSecret('MARKER') },
    'x',
  );
  logger.error({ config: { routingKey: 'MARKER', botToken: 'MARKER', password: 'MARKER' } }, 'y');

  expect(lines.join('')).not.toContain('MARKER');
});

test('an error is logged with its cause', () => {
  const { logger, lines } = capture();

  logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');

  expect(lines[0]).toContain('inner');
});

test('what is below the level is not written', () => {
  const { logger, lines } = capture('info');

  logger.debug({}, 'quiet');

  expect(lines).toEqual([]);
});
