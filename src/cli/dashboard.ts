/** `wakewell dashboard`: the Grafana dashboard, to import or to provision. */

import { writeFileSync } from 'node:fs';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { didYouMean } from '../config/suggest.js';
import { generateDashboard } from '../generate/dashboard.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEngines } from './load-playbook.js';

export type DashboardCommandOptions = {
  readonly engine?: string;
  readonly output?: string;
  /** The same on one line. */
  readonly json: boolean;
};

export async function dashboard(options: DashboardCommandOptions): Promise<number> {
  const config = requireConfig();
  const engines = loadEngines(config.engineDirectories);
  if (engines.faults.length > 0) throw new CommandFailure(EXIT.usage, engines.faults.join('\n'));
  const names = engines.found.map(({ engine }) => engine);
  const { engine } = options;
  if (engine !== undefined && !names.includes(engine)) {
    throw new CommandFailure(
      EXIT.noSuchThing,
      `no engine file is called "${engine}"${didYouMean(engine, names)} (known: ${names.join(', ')})`,
    );
  }
  const text = generateDashboard({
    engines: engines.found,
    thresholds: { ...DEFAULT_THRESHOLDS, ...config.thresholds },
    ...(engine === undefined ? {} : { engine }),
  });
  const shown = options.json ? `${JSON.stringify(JSON.parse(text))}\n` : text;
  if (options.output === undefined) process.stdout.write(shown);
  else {
    writeFileSync(options.output, shown);
    console.error(`Wrote ${options.output}. Import it in Grafana, or provision it from deploy/grafana.`);
  }
  return EXIT.fine;
}
