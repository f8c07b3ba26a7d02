/** `wakewell serve`: the service, until SIGTERM or SIGINT. */

import { type App, buildApp } from '../app.js';
import { AppError } from '../domain/errors.js';
import { createLogger } from '../log/logger.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { readConfigFile } from './load-config.js';

/** How long an orderly stop may take before the process ends anyway; safe, because everything accepted is on disk. */
const STOP_WITHIN_MS = 10_000;

/** Resolves with the status after an orderly stop. A second signal ends the process at once. */
export async function serve(): Promise<number> {
  const read = readConfigFile();
  if (read.kind === 'faulty') throw new CommandFailure(EXIT.usage, read.faults.join('\n'));
  const { config } = read;
  const logger = createLogger({ level: config.logLevel });
  for (const warning of read.warnings) logger.warn({}, warning);
  const app = await buildApp(config, { logger }).catch((error: unknown) => {
    throw startFailure(error);
  });

  const ended = new Promise<number>((end) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(1);
      asked = true;
      logger.info({ signal }, 'stopping');
      setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
      void app.stop().then(() => end(EXIT.fine));
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
  const { url } = await start(app, `${config.host}:${config.port}`);
  logger.info({ url }, 'listening');
  // The log is for machines; whoever started this at a terminal wants the address.
  if (process.stderr.isTTY) console.error(`Wakewell: ${url} (Ctrl-C stops it)`);
  return ended;
}

async function start(app: App, address: string): Promise<{ readonly url: string }> {
  try {
    return await app.start();
  } catch (error) {
    await app.stop();
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new CommandFailure(
        EXIT.refused,
        `${address} is taken: stop what listens there, or set WAKEWELL_PORT`,
      );
    }
    throw startFailure(error);
  }
}

/** Mistakes of the operator end with their text alone; anything else keeps its stack. */
function startFailure(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  return new CommandFailure(error.code === 'bad_request' ? EXIT.usage : EXIT.refused, error.message);
}
