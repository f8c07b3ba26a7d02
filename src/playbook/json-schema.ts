/** JSON Schema of playbook files, for editors: playbooks/schema.json is this, written out. */

import { z } from 'zod';
import { RawCommon, RawEntry } from './entry-file.js';

/** One schema for both kinds of file: entries, and `common.yaml`. */
export function playbookJsonSchema(): Record<string, unknown> {
  const options = { target: 'draft-2020-12', io: 'input' } as const;
  const { $schema, ...entry } = z.toJSONSchema(RawEntry, options);
  const { $schema: _same, ...common } = z.toJSONSchema(RawCommon, options);
  return {
    $schema,
    title: 'Wakewell playbook',
    description:
      'An entry for alerts, or common.yaml with shared steps and causes. The grammar is in playbooks/README.md.',
    anyOf: [entry, common],
  };
}
