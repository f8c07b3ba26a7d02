/** The environment variables that override the file, and what each one sets. This table is the list the README shows. */

import type { z } from 'zod';
import {
  AccessToken,
  type ConfigFile,
  LOG_LEVELS,
  type ReceiverEntry,
  RoutingKey,
  SigningSecret,
  SlackToken,
} from './config-file.js';
import { DatabaseUrl, describeValue, Host, HttpUrl, HttpUrls, Port, Text } from './fields.js';
import type { Secret } from './secret.js';
import { nearestWord } from './suggest.js';
import type { Environment } from './yaml-file.js';

/** Every variable the service reads; `WAKEWELL_CONFIG` names the file itself. */
export const ENVIRONMENT_VARIABLES = [
  'WAKEWELL_CONFIG',
  'WAKEWELL_HOST',
  'WAKEWELL_PORT',
  'WAKEWELL_PUBLIC_URL',
  'WAKEWELL_URL',
  'WAKEWELL_LOG_LEVEL',
  'WAKEWELL_WEBHOOK_TOKEN',
  'WAKEWELL_API_TOKEN',
  'DATABASE_URL',
  'PROMETHEUS_URL',
  'ALERTMANAGER_URL',
  'SLACK_BOT_TOKEN',
  'SLACK_CHANNEL',
  'SLACK_API_URL',
  'SLACK_SIGNING_SECRET',
  'PAGERDUTY_ROUTING_KEY',
  'PAGERDUTY_EVENTS_URL',
] as const;
export type EnvironmentVariable = (typeof ENVIRONMENT_VARIABLES)[number];

/** Receivers that the environment creates or overrides, by name. */
export const SLACK_RECEIVER = 'slack';
export const PAGERDUTY_RECEIVER = 'pagerduty';
/** Source of alerts that come without a token or with the one of the environment: HA peers share it. */
export const DEFAULT_SOURCE = 'alertmanager';

export type Overridden = {
  readonly file: ConfigFile;
  readonly faults: readonly string[];
  /** Receivers of which a part is missing in file and environment together. */
  readonly incomplete: readonly string[];
  readonly warnings: readonly string[];
};

/** Lays the environment over the file. An empty variable counts as unset: that is how compose files say "none". */
export function applyEnvironment(file: ConfigFile, env: Environment): Overridden {
  const faults: string[] = [];
  const incomplete: string[] = [];
  const read = <T>(name: EnvironmentVariable, schema: z.ZodType<T>): T | undefined => {
    const value = env[name];
    if (value === undefined || value === '') return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const hint =
      name === 'WAKEWELL_PORT' && value.startsWith('tcp://')
        ? ' (Kubernetes sets this one for a Service called wakewell: set enableServiceLinks: false)'
        : '';
    faults.push(`${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}${hint}`);
    return undefined;
  };
  const level = env.WAKEWELL_LOG_LEVEL ?? '';
  const logLevel = LOG_LEVELS.find((known) => known === level) ?? file.log_level;
  if (level !== '' && level !== logLevel) {
    faults.push(`WAKEWELL_LOG_LEVEL: found ${describeValue(level)}, expected ${LOG_LEVELS.join(', ')}`);
  }

  const merged: ConfigFile = {
    ...file,
    host: read('WAKEWELL_HOST', Host) ?? file.host,
    port: read('WAKEWELL_PORT', Port) ?? file.port,
    public_url: read('WAKEWELL_PUBLIC_URL', HttpUrl) ?? file.public_url,
    url: read('WAKEWELL_URL', HttpUrl) ?? file.url,
    database_url: read('DATABASE_URL', DatabaseUrl) ?? file.database_url,
    log_level: logLevel,
    prometheus: prometheusWith(file.prometheus, read('PROMETHEUS_URL', HttpUrl), faults),
    alertmanager: { ...file.alertmanager, url: read('ALERTMANAGER_URL', HttpUrls) ?? file.alertmanager?.url },
    receivers: receiversWith(file.receivers ?? [], read, incomplete),
    tokens: {
      webhook: tokensFrom('WAKEWELL_WEBHOOK_TOKEN', DEFAULT_SOURCE, env, faults) ?? file.tokens?.webhook,
      api: tokensFrom('WAKEWELL_API_TOKEN', 'api', env, faults) ?? file.tokens?.api,
    },
  };
  return { file: merged, faults, incomplete, warnings: mistypedVariables(env) };
}

/** One address cannot stand for several sources. */
function prometheusWith(
  prometheus: ConfigFile['prometheus'],
  url: string | undefined,
  faults: string[],
): ConfigFile['prometheus'] {
  if (!Array.isArray(prometheus)) return url === undefined ? prometheus : { ...prometheus, url };
  if (url !== undefined)
    faults.push('PROMETHEUS_URL: the file lists its sources by name, expected it to be unset');
  return prometheus;
}

type Read = <T>(name: EnvironmentVariable, schema: z.ZodType<T>) => T | undefined;

/** A variable changes the receiver of its fixed name, or adds it. */
function receiversWith(
  receivers: readonly ReceiverEntry[],
  read: Read,
  incomplete: string[],
): ReceiverEntry[] {
  const result = [...receivers];
  const put = (receiver: ReceiverEntry) => {
    const index = result.findIndex((one) => one.name === receiver.name);
    if (index < 0) result.push(receiver);
    else result[index] = receiver;
  };

  const named = result.find((one) => one.name === SLACK_RECEIVER);
  const slack = named?.kind === 'slack' ? named : undefined;
  const token = read('SLACK_BOT_TOKEN', SlackToken) ?? slack?.bot_token;
  const channel = read('SLACK_CHANNEL', Text) ?? slack?.channel;
  const apiUrl = read('SLACK_API_URL', HttpUrl);
  const signingSecret = read('SLACK_SIGNING_SECRET', SigningSecret);
  if (token !== undefined && channel !== undefined) {
    put({
      ...slack,
      kind: 'slack',
      name: SLACK_RECEIVER,
      bot_token: token,
      channel,
      api_url: apiUrl ?? slack?.api_url,
      signing_secret: signingSecret ?? slack?.signing_secret,
    });
  } else if (token !== undefined) {
    incomplete.push(
      'SLACK_CHANNEL: found nothing, expected a channel id or name, since SLACK_BOT_TOKEN is set',
    );
  } else if (channel !== undefined) {
    incomplete.push(
      'SLACK_BOT_TOKEN: found nothing, expected a bot token (xoxb-…), since SLACK_CHANNEL is set',
    );
  }

  if (signingSecret !== undefined) shareSigningSecret(result, signingSecret, incomplete);

  const pager = result.find((one) => one.name === PAGERDUTY_RECEIVER);
  const pagerDuty = pager?.kind === 'pagerduty' ? pager : undefined;
  const key = read('PAGERDUTY_ROUTING_KEY', RoutingKey) ?? pagerDuty?.routing_key;
  const eventsUrl = read('PAGERDUTY_EVENTS_URL', HttpUrl) ?? pagerDuty?.events_url;
  if (key !== undefined) {
    put({
      ...pagerDuty,
      kind: 'pagerduty',
      name: PAGERDUTY_RECEIVER,
      routing_key: key,
      events_url: eventsUrl,
    });
  }
  return result;
}

/** Most have one Slack app for all their channels, so its secret serves every receiver that names none. */
function shareSigningSecret(receivers: ReceiverEntry[], secret: Secret, incomplete: string[]): void {
  const slack = receivers.filter((one) => one.kind === 'slack');
  if (slack.length === 0) {
    incomplete.push(
      'SLACK_SIGNING_SECRET: found no Slack receiver, expected SLACK_BOT_TOKEN and SLACK_CHANNEL',
    );
  }
  for (const [index, one] of receivers.entries()) {
    if (one.kind !== 'slack' || one.signing_secret !== undefined) continue;
    receivers[index] = { ...one, signing_secret: secret };
  }
}

/** Several tokens, separated by commas, are valid at once: that is how one is replaced without losing an alert. */
function tokensFrom(name: EnvironmentVariable, owner: string, env: Environment, faults: string[]) {
  const value = env[name];
  if (value === undefined || value === '') return undefined;
  return value.split(',').flatMap((token) => {
    const parsed = AccessToken.safeParse(token);
    if (parsed.success) return [{ name: owner, token: parsed.data }];
    faults.push(`${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}`);
    return [];
  });
}

function mistypedVariables(env: Environment): string[] {
  const known: readonly string[] = ENVIRONMENT_VARIABLES;
  return Object.keys(env)
    .filter((name) => name.startsWith('WAKEWELL_') && !known.includes(name))
    .flatMap((name) => {
      const near = nearestWord(name, known);
      return near === null ? [] : [`${name}: not a variable of ours; did you mean "${near}"?`];
    });
}
