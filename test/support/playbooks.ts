/** The entries that ship, loaded once. */

import { ALERTS } from '../../src/catalog/alerts.js';
import { SIGNALS } from '../../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { builtInPlaybooksDirectory, loadPlaybooks } from '../../src/playbook/load.js';
import { matchEntry } from '../../src/playbook/match.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';

export const SIGNAL_NAMES: ReadonlySet<string> = new Set(SIGNALS.map((signal) => signal.name));
export const ALERT_NAMES: ReadonlySet<string> = new Set(ALERTS.map((alert) => alert.name));

export const BUILT_IN = loadPlaybooks({
  directories: [builtInPlaybooksDirectory()],
  signals: SIGNAL_NAMES,
  thresholds: DEFAULT_THRESHOLDS,
  alertNames: ALERT_NAMES,
});

export function entryFor(alertname: string): PlaybookEntry {
  return matchEntry(BUILT_IN.entries, { alertname }).entry;
}
