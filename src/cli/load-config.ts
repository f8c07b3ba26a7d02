/** Reads the configuration for a command: the one place where the file and the environment are touched. */

import { readFileSync } from 'node:fs';
import { SIGNALS } from '../catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { type Config, type ReadConfigResult, readConfig } from '../config/config.js';
import { parseMatchers } from '../routing/parse-matchers.js';
import { CommandFailure, EXIT } from './exit-codes.js';

const DEFAULT_FILE = 'wakewell.yaml';

/** Reads the file named by WAKEWELL_CONFIG (or ./wakewell.yaml, which may be absent) and the environment. Never throws. */
export function readConfigFile(env: NodeJS.ProcessEnv = process.env): ReadConfigResult {
  const named = env.WAKEWELL_CONFIG === '' ? undefined : env.WAKEWELL_CONFIG;
  const file = named ?? DEFAULT_FILE;
  let text: string | null = null;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!missing || named !== undefined) {
      const why = missing
        ? `there is no file ${file}`
        : `${file} cannot be read: ${(error as Error).message}`;
      return { kind: 'faulty', faults: [named === undefined ? why : `WAKEWELL_CONFIG: ${why}`] };
    }
  }
  return checkConfigText(text, file, env);
}

/** Checks a text as if it stood in `file`; null stands for no file. */
export function checkConfigText(text: string | null, file: string, env: NodeJS.ProcessEnv): ReadConfigResult {
  return readConfig({
    ...(text === null ? {} : { yamlText: text }),
    file,
    env,
    thresholdNames: new Set(Object.keys(DEFAULT_THRESHOLDS)),
    signalNames: new Set(SIGNALS.map((signal) => signal.name)),
    checkMatcher(matcher) {
      const parsed = parseMatchers(matcher);
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
