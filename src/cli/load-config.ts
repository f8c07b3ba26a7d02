import { existsSync, readFileSync } from 'node:fs';
import { SIGNALS } from '../catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { type Config, type ReadConfigResult, readConfig } from '../config/config.js';
import { parseMatchers } from '../routing/parse-matchers.js';
import { CommandFailure, EXIT } from './exit-codes.js';

/** Reads the configuration file named by WAKEWELL_CONFIG (or ./wakewell.yaml, which may be absent) and the environment. */
export function readConfigFile(env: NodeJS.ProcessEnv = process.env): ReadConfigResult {
  const file = env.WAKEWELL_CONFIG ?? 'wakewell.yaml';
  if (env.WAKEWELL_CONFIG !== undefined && !existsSync(file)) {
    return { kind: 'faulty', faults: [`WAKEWELL_CONFIG: there is no file ${file}`] };
  }
  return readConfig({
    ...(existsSync(file) ? { yamlText: readFileSync(file, 'utf8') } : {}),
    file,
    env,
    thresholdNames: new Set(Object.keys(DEFAULT_THRESHOLDS)),
    signalNames: new Set(SIGNALS.map((signal) => signal.name)),
    checkMatcher(text) {
      const parsed = parseMatchers(text);
      return parsed.kind === 'ok' ? null : parsed.message;
    },
  });
}

/** The configuration, or a usage failure that lists every fault. */
export function requireConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const read = readConfigFile(env);
  if (read.kind === 'faulty') throw new CommandFailure(EXIT.usage, read.faults.join('\n'));
  return read.config;
}
