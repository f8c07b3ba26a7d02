/** JSON lines on stdout: a static message, everything else in fields. Secrets are cut out by name. */

import { pino } from 'pino';

export type Logger = {
  readonly debug: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
  readonly child: (fields: object) => Logger;
};

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const SECRET_FIELDS = [
  'authorization',
  'token',
  'botToken',
  'routingKey',
  'routing_key',
  'secret',
  'password',
];

export type LogDestination = { readonly write: (line: string) => void };

/** `destination` takes whole lines; stdout when absent. Never throws for what is logged. */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly destination?: LogDestination;
}): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: {
      paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map((name) => `*.${name}`), 'req.headers.authorization'],
      censor: '[secret]',
    },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
