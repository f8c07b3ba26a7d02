import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { playbookJsonSchema } from '../../src/playbook/json-schema.js';

test('playbooks/schema.json is what the code checks', () => {
  const written = JSON.parse(readFileSync(new URL('../../playbooks/schema.json', import.meta.url), 'utf8'));

  expect(written).toEqual(JSON.parse(JSON.stringify(playbookJsonSchema())));
});
