import { writeFileSync } from 'node:fs';
import { ALERTS } from '../catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { generateAlertRules } from '../generate/alert-rules.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';

/** `wakewell rules`: the Prometheus rules of the eight alerts, to stdout or a file. */
export async function rules(options: {
  readonly engine?: string;
  readonly timeScale?: string;
  readonly output?: string;
}): Promise<number> {
  const config = requireConfig();
  const engines = [
    ...config.engineDirectories.flatMap(loadEngineFiles),
    ...loadEngineFiles(builtInEnginesDirectory()),
  ];
  const names = engines.map((engine) => engine.engine);
  if (options.engine !== undefined && !names.includes(options.engine)) {
    throw new CommandFailure(
      EXIT.noSuchThing,
      `no engine file is called "${options.engine}" (known: ${names.join(', ')})`,
    );
  }
  const timeScale = options.timeScale === undefined ? config.timeScale : Number(options.timeScale);
  if (!(timeScale >= 1)) throw new CommandFailure(EXIT.usage, '--time-scale takes a number from 1 on');
  const text = generateAlertRules({
    alerts: ALERTS,
    engines,
    thresholds: { ...DEFAULT_THRESHOLDS, ...config.thresholds },
    timeScale,
    ...(config.publicUrl === null ? {} : { publicUrl: config.publicUrl }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
  });
  if (options.output === undefined) process.stdout.write(text);
  else writeFileSync(options.output, text);
  return EXIT.fine;
}
