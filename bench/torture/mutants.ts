/**
 * Known wrong builds: with each of them the torture must fail, else it proves nothing. They are made by
 * replacing text in a copy of the build, so that no switch for them stands in the product.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const MUTANTS = ['synchronous-off', 'mark-before-send'] as const;
export type Mutant = (typeof MUTANTS)[number];

type Replacement = { readonly file: string; readonly find: RegExp; readonly replace: string };

/** By mutant; files of the build. Exported for their test. */
export const REPLACEMENTS: Readonly<Record<Mutant, readonly Replacement[]>> = {
  // Commits no longer reach the disk before the 200, and the service's own check of that is put to sleep.
  'synchronous-off': [
    { file: 'store/database.js', find: /synchronous = FULL/, replace: 'synchronous = OFF' },
    { file: 'store/database-gates.js', find: /SYNCHRONOUS_FULL = 2/, replace: 'SYNCHRONOUS_FULL = 0' },
  ],
  // The row is finished as sent before its receiver was called: at most once instead of at least once.
  'mark-before-send': [
    {
      file: 'outbox/deliver-one.js',
      find: /const result = await attempt\(/,
      replace: `await deps.db.transaction((tx) => deps.stores.notifications.finish(tx, {
            id: notification.id, fence: notification.fence, state: 'sent', reason: null, ref: null, nowMs: deps.clock.now(),
          }));
          const result = await attempt(`,
    },
  ],
};

/** Patches a build in place. Throws when the text of a replacement is not there exactly once: the mutant would then be the healthy service. */
export function applyMutant(dist: string, mutant: Mutant): void {
  for (const { file, find, replace } of REPLACEMENTS[mutant]) {
    const path = join(dist, file);
    writeFileSync(path, replaceOnce(readFileSync(path, 'utf8'), find, replace, `${mutant}: ${file}`));
  }
}

/** Exported for its test. */
export function replaceOnce(text: string, find: RegExp, replace: string, where: string): string {
  const hits = text.match(new RegExp(find.source, `${find.flags.replace('g', '')}g`))?.length ?? 0;
  if (hits !== 1) throw new Error(`${where}: expected ${String(find)} once, found it ${hits} times`);
  return text.replace(find, replace);
}
