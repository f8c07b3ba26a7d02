/** `wakewell rules`: the Prometheus rules of the eight alerts, and of the two that watch the way of an alert. */

import { writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ALERTS } from '../catalog/alerts.js';
import { SELF_ALERTS } from '../catalog/self-alerts.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { didYouMean } from '../config/suggest.js';
import { generateAlertRules } from '../generate/alert-rules.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEngines } from './load-playbook.js';
import { readTimeScale } from './print.js';

export type RulesOptions = {
  readonly engine?: string;
  readonly timeScale?: string;
  readonly output?: string;
  /** The same groups as JSON, which Prometheus does not read. */
  readonly json: boolean;
};

export async function rules(options: RulesOptions): Promise<number> {
  const config = requireConfig();
  const engines = loadEngines(config.engineDirectories);
  if (engines.faults.length > 0) throw new CommandFailure(EXIT.usage, engines.faults.join('\n'));
  const names = engines.found.map((engine) => engine.engine);
  const { engine } = options;
  if (engine !== undefined && !names.includes(engine)) {
    throw new CommandFailure(
      EXIT.noSuchThing,
      `no engine file is called "${engine}"${didYouMean(engine, names)} (known: ${names.join(', ')})`,
    );
  }
  const text = generateAlertRules({
    alerts: ALERTS,
    selfAlerts: SELF_ALERTS,
    engines: engines.found,
    thresholds: { ...DEFAULT_THRESHOLDS, ...config.thresholds },
    timeScale: options.timeScale === undefined ? config.timeScale : readTimeScale(options.timeScale),
    ...(config.publicUrl === null ? {} : { publicUrl: config.publicUrl }),
    ...(engine === undefined ? {} : { engine }),
  });
  const shown = options.json ? `${JSON.stringify(parse(text))}\n` : text;
  if (options.output === undefined) process.stdout.write(shown);
  else {
    writeFileSync(options.output, shown);
    console.error(`Wrote ${options.output}. Check it: promtool check rules ${options.output}`);
  }
  return EXIT.fine;
}
