import { buildApp } from '../app.js';
import { AppError } from '../domain/errors.js';
import { createLogger } from '../log/logger.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { readConfigFile } from './load-config.js';

/** How long an orderly stop may take before the process ends anyway; safe, because everything accepted is on disk. */
const STOP_WITHIN_MS = 10_000;

/** `wakewell serve`: runs until SIGTERM or SIGINT. A second signal ends it at once. */
export async function serve(): Promise<number> {
  const read = readConfigFile();
  if (read.kind === 'faulty') throw new CommandFailure(EXIT.usage, read.faults.join('\n'));
  const logger = createLogger({ level: read.config.logLevel });
  for (const warning of read.warnings) logger.warn({}, warning);
  const app = await buildApp(read.config, { logger }).catch((error: unknown) => {
    if (error instanceof AppError) throw new CommandFailure(EXIT.usage, error.message);
    throw new CommandFailure(EXIT.refused, error instanceof Error ? error.message : String(error));
  });

  const ended = new Promise<number>((end) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(1);
      asked = true;
      logger.info({ signal }, 'stopping');
      const force = setTimeout(() => process.exit(1), STOP_WITHIN_MS);
      force.unref();
      void app.stop().then(() => end(EXIT.fine));
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
  const { url } = await app.start().catch((error: unknown) => {
    throw new CommandFailure(EXIT.refused, error instanceof Error ? error.message : String(error));
  });
  logger.info({ url }, 'listening');
  return ended;
}
