/** What several commands load beside the configuration: engine files and playbook entries, with every fault as text. */

import { ALERTS } from '../catalog/alerts.js';
import { builtInEnginesDirectory, type EngineFile, loadEngineFiles } from '../catalog/engine-file.js';
import { SIGNALS } from '../catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { formatFault } from '../playbook/faults.js';
import { builtInPlaybooksDirectory, loadPlaybooks, type PlaybookText } from '../playbook/load.js';
import type { PlaybookEntry } from '../playbook/schema.js';

export type Loaded<T> = { readonly found: readonly T[]; readonly faults: readonly string[] };

/** The operator's engine files first: they win over the built-in ones. */
export function loadEngines(directories: readonly string[]): Loaded<EngineFile> {
  const faults: string[] = [];
  const found = [...directories, builtInEnginesDirectory()].flatMap((directory) => {
    try {
      return loadEngineFiles(directory);
    } catch (error) {
      faults.push(...(error instanceof Error ? error.message : String(error)).split('\n'));
      return [];
    }
  });
  return { found, faults };
}

/** The built-in entries and the operator's, which replace those of the same name. */
export function loadEntries(
  directories: readonly string[],
  thresholds: Readonly<Record<string, number>>,
): Loaded<PlaybookEntry> & { readonly texts: readonly PlaybookText[] } {
  const { entries, faults, texts } = loadPlaybooks({
    directories: [builtInPlaybooksDirectory(), ...directories],
    signals: new Set(SIGNALS.map((signal) => signal.name)),
    thresholds: { ...DEFAULT_THRESHOLDS, ...thresholds },
    alertNames: new Set(ALERTS.map((alert) => alert.name)),
  });
  return { found: entries, faults: faults.map(formatFault), texts };
}
