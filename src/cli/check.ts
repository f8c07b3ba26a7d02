import { ALERTS } from '../catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../catalog/engine-file.js';
import { SIGNALS } from '../catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { builtInPlaybooksDirectory, loadPlaybooks } from '../playbook/load.js';
import { EXIT } from './exit-codes.js';
import { readConfigFile } from './load-config.js';

/** `wakewell check`: every fault of configuration, engine files and playbooks, one a line, with file and line. */
export async function check(options: { readonly json: boolean }): Promise<number> {
  const faults: string[] = [];
  const config = readConfigFile();
  if (config.kind === 'faulty') faults.push(...config.faults);
  const own = config.kind === 'ok' ? config.config : null;

  for (const directory of [builtInEnginesDirectory(), ...(own?.engineDirectories ?? [])]) {
    try {
      loadEngineFiles(directory);
    } catch (error) {
      faults.push(...(error instanceof Error ? error.message.split('\n') : [String(error)]));
    }
  }
  const playbooks = loadPlaybooks({
    directories: [builtInPlaybooksDirectory(), ...(own?.playbookDirectories ?? [])],
    signals: new Set(SIGNALS.map((signal) => signal.name)),
    thresholds: { ...DEFAULT_THRESHOLDS, ...own?.thresholds },
    alertNames: new Set(ALERTS.map((alert) => alert.name)),
  });
  faults.push(
    ...playbooks.faults.map((fault) => `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`),
  );

  const warnings = config.kind === 'ok' ? config.warnings : [];
  if (options.json) {
    console.log(
      JSON.stringify({ ok: faults.length === 0, entries: playbooks.entries.length, faults, warnings }),
    );
  } else {
    for (const fault of faults) console.log(fault);
    for (const warning of warnings) console.log(`note: ${warning}`);
    const n = playbooks.entries.length;
    console.log(
      faults.length === 0
        ? `Fine: configuration, engine files and ${n} playbook entries.`
        : `${faults.length} faults.`,
    );
  }
  return faults.length === 0 ? EXIT.fine : EXIT.found;
}
