/** `wakewell rules`: the Prometheus rules of every alert, and of the two that watch the way of an alert. */

import { writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
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
  readonly format: string;
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
  const unknown = engine?.split(',').find((name) => !names.includes(name.trim()));
  if (unknown !== undefined) {
    throw new CommandFailure(
      EXIT.noSuchThing,
      `no engine file is called "${unknown}"${didYouMean(unknown, names)} (known: ${names.join(', ')})`,
    );
  }
  if (options.format !== 'prometheus' && options.format !== 'prometheusrule') {
    throw new CommandFailure(EXIT.usage, `--format ${options.format}: expected prometheus or prometheusrule`);
  }
  const rulesText = generateAlertRules({
    alerts: ALERTS,
    selfAlerts: SELF_ALERTS,
    engines: engines.found,
    thresholds: { ...DEFAULT_THRESHOLDS, ...config.thresholds },
    timeScale: options.timeScale === undefined ? config.timeScale : readTimeScale(options.timeScale),
    ...(config.publicUrl === null ? {} : { publicUrl: config.publicUrl }),
    ...(engine === undefined ? {} : { engine }),
  });
  const text = options.format === 'prometheus' ? rulesText : prometheusRule(rulesText);
  const shown = options.json ? `${JSON.stringify(parse(text))}\n` : text;
  if (options.output === undefined) process.stdout.write(shown);
  else {
    writeFileSync(options.output, shown);
    console.error(`Wrote ${options.output}. Check it: promtool check rules ${options.output}`);
  }
  return EXIT.fine;
}

/** The same groups as the Prometheus operator's resource. */
function prometheusRule(text: string): string {
  const { groups } = parse(text) as { groups: unknown };
  const resource = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'wakewell' },
    spec: { groups },
  };
  return stringify(resource, { lineWidth: 0, blockQuote: 'literal' });
}
