/** `wakewell serve`: the service, until SIGTERM or SIGINT. */

import { type App, buildApp } from '../app.js';
import { AppError } from '../domain/errors.js';
import { createLogger, type Logger } from '../log/logger.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { readConfigFile } from './load-config.js';

/** How long an orderly stop may take before the process ends anyway; safe, because everything accepted is on disk. */
const STOP_WITHIN_MS = 10_000;

/** Whoever signals again does not want to wait, but what is under way gets this long since the first signal. */
const HURRIED_STOP_MS = 5_000;

export type ServeOptions = {
  /** Takes whatever database lies there, or none, as the one that belongs there. */
  readonly acceptDatabase: boolean;
};

/** Resolves with the status after an orderly stop. A second signal ends the process 5 s after the first. */
export async function serve(options: ServeOptions): Promise<number> {
  const read = readConfigFile();
  if (read.kind === 'faulty') throw new CommandFailure(EXIT.usage, read.faults.join('\n'));
  const { config } = read;
  const logger = createLogger({ level: config.logLevel });
  for (const warning of read.warnings) logger.warn({}, warning);
  // First of all, so that a signal during a long migration ends in an orderly stop as well.
  const asked = untilAskedToStop(logger);
  const app = await buildApp(config, { logger, acceptDatabase: options.acceptDatabase }).catch(
    (error: unknown) => {
      throw startFailure(error);
    },
  );
  const { url } = await start(app, `${config.host}:${config.port}`);
  logger.info({ url }, 'listening');
  // The log is for machines; whoever started this at a terminal wants the address.
  if (process.stderr.isTTY) console.error(`Wakewell: ${url} (Ctrl-C stops it)`);
  await asked;
  await app.stop();
  logger.info({}, 'stopped');
  return EXIT.fine;
}

/** Resolves with the first SIGTERM or SIGINT. From then on the process ends by itself within its bound. */
function untilAskedToStop(logger: Logger): Promise<void> {
  return new Promise((asked) => {
    let askedAtMs: number | null = null;
    const exitAfter = (delayMs: number) => void setTimeout(() => process.exit(1), delayMs).unref();
    const onSignal = (signal: NodeJS.Signals) => {
      if (askedAtMs !== null) {
        logger.info({ signal }, 'stopping in a hurry');
        exitAfter(Math.max(0, HURRIED_STOP_MS - (performance.now() - askedAtMs)));
        return;
      }
      logger.info({ signal }, 'stopping');
      askedAtMs = performance.now();
      exitAfter(STOP_WITHIN_MS);
      asked();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
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
