/** `wakewell check`: every fault of configuration, engine files and playbooks in one go. */

import type { Config } from '../config/config.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { caFaults } from '../prometheus/connect-sources.js';
import { receiversOf } from '../routing/escalation-target.js';
import { checkOnline, onlineLines } from './check-online.js';
import { checkRecordings } from './check-recordings.js';
import { EXIT } from './exit-codes.js';
import { readConfigFile } from './load-config.js';
import { loadEngines, loadEntries } from './load-playbook.js';

/** One line a fault, with file, line and column. Exit 1 when there is one; warnings alone are fine. */
export async function check(options: {
  readonly recordings?: string;
  readonly online?: boolean;
  readonly json: boolean;
}): Promise<number> {
  const read = readConfigFile();
  const config = read.kind === 'ok' ? read.config : null;
  const engines = loadEngines(config?.engineDirectories ?? []);
  const entries = loadEntries(config?.playbookDirectories ?? [], config?.thresholds ?? {});

  const parts: { name: string; count: number | null; faults: readonly string[] }[] = [
    {
      name: 'configuration',
      count: null,
      faults: read.kind === 'faulty' ? read.faults : caFaults(read.config.prometheus),
    },
    { name: 'engine files', count: engines.found.length, faults: engines.faults },
    { name: 'playbook entries', count: entries.found.length, faults: entries.faults },
  ];
  const { recordings } = options;
  // With faulty playbooks every difference would be a consequence of theirs.
  const replayed =
    recordings === undefined || config === null || entries.faults.length > 0
      ? null
      : await checkRecordings(recordings, config);
  if (replayed !== null) parts.push({ name: 'recordings', count: replayed.count, faults: replayed.faults });
  // What cannot be read cannot be tried.
  const online =
    options.online !== true || config === null || parts.some((part) => part.faults.length > 0)
      ? null
      : await checkOnline(config, engines.found, entries.found);
  if (online !== null)
    parts.push({ name: 'steps online', count: online.scopes.length, faults: online.faults });
  const failed = online !== null && online.unreachable !== null ? EXIT.unreachable : EXIT.found;
  const faults = parts.flatMap((part) => part.faults);
  const warnings =
    read.kind === 'ok'
      ? [...read.warnings, ...namelessTargets(read.config, entries.found), ...(replayed?.notes ?? [])]
      : [];
  if (options.json) {
    console.log(
      JSON.stringify({
        ok: faults.length === 0,
        engines: engines.found.length,
        entries: entries.found.length,
        ...(replayed === null ? {} : { recordings: replayed.count, changed: replayed.changed }),
        ...(online === null ? {} : { online: online.scopes }),
        faults,
        warnings,
      }),
    );
    return faults.length === 0 ? EXIT.fine : failed;
  }
  for (const { name, count, faults: found } of parts) {
    const what = `${name}${count === null ? '' : ` (${count})`}`.padEnd(24);
    console.log(`${what}${found.length === 0 ? 'ok' : plural(found.length, 'fault')}`);
    for (const fault of found) console.log(`  ✗ ${fault}`);
  }
  if (online !== null) for (const line of onlineLines(online)) console.log(line);
  for (const warning of warnings) console.log(`  ! ${warning}`);
  console.log(`${plural(faults.length, 'fault')}, ${plural(warnings.length, 'warning')}.`);
  return faults.length === 0 ? EXIT.fine : failed;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Names that playbooks escalate to and nobody is behind: they are said, and nobody is told. */
function namelessTargets(config: Config, entries: readonly PlaybookEntry[]): string[] {
  const from = new Map<string, Set<string>>();
  for (const entry of entries) {
    for (const { to } of entry.escalation) {
      if (receiversOf(to, config.escalationTargets, config.receivers).length > 0) continue;
      from.set(to, (from.get(to) ?? new Set()).add(entry.id));
    }
  }
  return [...from].map(
    ([to, ids]) =>
      `"${to}" has no receivers in escalation_targets: ${[...ids].join(', ')} can only say that it is to be told`,
  );
}
