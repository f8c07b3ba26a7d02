/**
 * Known wrong builds: with each of them the torture must fail, else it proves nothing. They are made by
 * replacing text in a copy of the build, so that no switch for them stands in the product.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const MUTANTS = [
  'synchronous-off',
  'mark-before-send',
  'key-from-summary',
  'cron-ticker',
  'too-many-requests',
] as const;
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
  // The pager collapses by what the page says, and a page says something else once it is diagnosed.
  'key-from-summary': [
    {
      file: 'render/page.js',
      find: /dedup_key: options\.dedupKey \?\? view\.episode\.dedupKey,/,
      replace: 'dedup_key: cut(headline(view, options), 255),',
    },
  ],
  // Only a ticker looks whether something is due, by the clock on the wall.
  'cron-ticker': [
    {
      file: 'outbox/dispatcher.js',
      find: /function wake\(\)(?:: void)? \{\s*if \(stopped\)\s*return;/,
      replace: `let ticker = null;
    function wake() {
        ticker ??= import('node-cron').then(({ nodeCron }) => nodeCron.schedule('* * * * * *', look));
    }
    function look() {
        if (stopped) return;`,
    },
  ],
  // A gate that tells a busy sender to come back later, which Alertmanager never does.
  'too-many-requests': [
    {
      file: 'http/alertmanager-webhook.js',
      find: /const outcome = await intake\.receive\(\{ source, body, parsed \}\);/,
      replace: `globalThis.calls = (globalThis.calls ?? 0) + 1;
      if (globalThis.calls % 2 === 1) {
        answer(response, 429, { error: 'too many requests' });
        return;
      }
      const outcome = await intake.receive({ source, body, parsed });`,
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
