/**
 * Configuration: one YAML text and an environment in, one frozen value out. Pure: no file is read and no
 * process asked here, and every fault is found in one go, each with file, line and column.
 */

import { dirname, resolve } from 'node:path';
import { HOUR, MINUTE } from '../domain/clock.js';
import type { FlappingRule } from '../domain/cycles.js';
import type { MaintenanceWindow } from '../domain/maintenance.js';
import type { PageCeiling } from '../domain/page-ceiling.js';
import type { StormRule } from '../domain/storm.js';
import {
  ConfigFile,
  type LOG_LEVELS,
  type MODES,
  type ReceiverEntry,
  type SEVERITY_WORDS,
} from './config-file.js';
import { applyEnvironment, DEFAULT_SOURCE, ENVIRONMENT_VARIABLES } from './environment.js';
import { checkPrometheus, type PrometheusConfig, prometheusSources } from './prometheus-config.js';
import type { Secret } from './secret.js';
import { didYouMean } from './suggest.js';
import { type Environment, type Path, readYamlFile } from './yaml-file.js';
import { faultsOf } from './zod-faults.js';

export { ENVIRONMENT_VARIABLES };

export type ReceiverConfig =
  | {
      readonly kind: 'pagerduty';
      readonly name: string;
      readonly routingKey: Secret;
      readonly eventsUrl: string;
      /** What may go to the key in any minute; 60 when absent. */
      readonly eventsPerMinute?: number;
      /** Receivers told in turn when this one does not accept a page; every other pager, then channels and logs, when absent. */
      readonly ladder?: readonly string[];
      /** Of its webhook subscriptions. Empty = what happens at the pager is not heard of. */
      readonly signingSecrets: readonly Secret[];
    }
  | {
      readonly kind: 'slack';
      readonly name: string;
      readonly botToken: Secret;
      readonly channel: string;
      /** With a trailing slash, as the SDK wants it. */
      readonly apiUrl: string;
      readonly mention?: string;
      /** Makes the card's buttons and the command work; without it there are none. */
      readonly signingSecret?: Secret;
      /** Only calls of this app are taken; any that is rightly signed when absent. */
      readonly appId?: string;
      /** Workspaces whose members may act; when empty, those of the workspace that the call comes from. */
      readonly teams: readonly string[];
    }
  | {
      readonly kind: 'webhook';
      readonly name: string;
      /** Secret, because such addresses carry tokens. */
      readonly url: Secret;
      readonly secret?: Secret;
    }
  | { readonly kind: 'log'; readonly name: string };

export type TokenConfig = { readonly name: string; readonly token: Secret };

export type Config = {
  readonly host: string;
  readonly port: number;
  /** Base of links in messages; null where nobody could follow one: port 0, or listening beyond loopback without a public URL. */
  readonly publicUrl: string | null;
  /** Where the CLI finds the running service. */
  readonly apiUrl: string;
  readonly databaseUrl: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** shadow: everything is decided and shown, nothing leaves the process. */
  readonly mode: (typeof MODES)[number];
  /** 1 = real; 20 = windows, holds and intervals 20 times shorter. */
  readonly timeScale: number;
  /** Empty = no metrics. With several, an alert's scope chooses one. */
  readonly prometheus: readonly PrometheusConfig[];
  /** Where logs are searched; without it such checks say what to look at by hand. */
  readonly loki?: {
    readonly url: string;
    readonly bearerToken?: Secret;
    readonly basicAuth?: { readonly username: string; readonly password: Secret };
    readonly headers: Readonly<Record<string, string>>;
    /** Scope label → the label that its log streams carry; all of them must be had. */
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly alertmanager: {
    /** HA peers of one Alertmanager; empty = it is not asked. */
    readonly urls: readonly string[];
    /** What Alertmanager calls us: only alerts that it routes there should have arrived here. */
    readonly receiver: string;
    /** The source under which its webhook calls arrive: the name of their token. */
    readonly source: string;
    readonly bearerToken?: Secret;
    readonly basicAuth?: { readonly username: string; readonly password: Secret };
    readonly headers: Readonly<Record<string, string>>;
  };
  /** Matchers in Alertmanager's syntax, as written. */
  readonly maintenance: readonly {
    readonly comment: string;
    readonly matchers: readonly string[];
    readonly when: MaintenanceWindow['when'];
  }[];
  readonly scopeLabels: readonly string[];
  /** Lower-case words of the operator's own: `page` → critical. */
  readonly severityMapping: Readonly<Record<string, (typeof SEVERITY_WORDS)[number]>>;
  /** Never empty: without Slack and pager a `log` receiver stands in. */
  readonly receivers: readonly ReceiverConfig[];
  /** Matchers in Alertmanager's syntax, as written. Empty = the default routing. */
  readonly routes: readonly {
    readonly matchers: readonly string[];
    readonly receivers: readonly string[];
    readonly continue: boolean;
  }[];
  /** Only what differs from the catalog, by dotted name. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** Objectives by signal, only what differs from the default. */
  readonly slo: Readonly<Record<string, number>>;
  /** The operator's own directories, absolute, read after the built-in ones. */
  readonly playbookDirectories: readonly string[];
  readonly engineDirectories: readonly string[];
  /** `name` of a webhook token is the source of its alerts. */
  readonly tokens: { readonly webhook: readonly TokenConfig[]; readonly api: readonly TokenConfig[] };
  readonly backup: {
    /** Cron in UTC; null = no scheduled backups. */
    readonly schedule: string | null;
    /** Absolute; null = `backups` beside the database. */
    readonly directory: string | null;
    /** Scheduled backups that are kept. */
    readonly keep: number;
  };
  /** Ages beyond which things are deleted. What is open, or still to be done, is never touched. */
  readonly retention: {
    /** Since an incident was resolved: it goes with everything about it. */
    readonly incidentsMs: number;
    /** Frozen evidence of resolved incidents. */
    readonly recordingsMs: number;
    /** Webhook bodies as they arrived. */
    readonly receiptsMs: number;
  };
  /** Whom we ping while the audit passes; the address is its credential. */
  readonly deadMan?: { readonly url: Secret; readonly intervalMs: number };
  /** Receivers behind the names that playbooks escalate to, by lower-case name. */
  readonly escalationTargets: Readonly<Record<string, readonly string[]>>;
  /** Which alerts are heartbeats, as matchers in Alertmanager's syntax, and how often they come; null learns it. */
  readonly watchdog: { readonly matchers: readonly string[]; readonly intervalMs: number | null };
  /** A critical not acknowledged, a warning not looked at for so long is reminded of once. People's time: not shortened by the time scale. */
  readonly reminders: { readonly criticalMs: number; readonly warningMs: number };
  readonly timings: {
    readonly pageDeadlineMs: number;
    readonly diagnosisMs: number;
    readonly queryMs: number;
    readonly resolveHoldMs: number;
    readonly reopenWindowMs: number;
  };
  readonly flapping: FlappingRule;
  readonly storm: StormRule;
  /** Never empty. */
  readonly pageCeilings: readonly PageCeiling[];
};

export type ReadConfigResult =
  | { readonly kind: 'ok'; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly kind: 'faulty'; readonly faults: readonly string[] };

export type ReadConfigInput = {
  /** Text of the configuration file; absent = every default. */
  readonly yamlText?: string;
  /** Its name, for faults and for relative directories. */
  readonly file?: string;
  readonly env: Environment;
  /** Names that thresholds and SLOs may use; unchecked when absent. */
  readonly thresholdNames?: ReadonlySet<string>;
  readonly signalNames?: ReadonlySet<string>;
  /** Says what is wrong with a matcher, or null; unchecked when absent. */
  readonly checkMatcher?: (text: string) => string | null;
};

const DEFAULT_PORT = 9099;
const DEFAULT_SCOPE_LABELS = ['cluster', 'namespace', 'model'];
const DAY_MS = 86_400_000;
export const DEFAULT_DATABASE_URL = 'file:./data/wakewell.db';
const DEFAULT_EVENTS_URL = 'https://events.pagerduty.com/v2/enqueue';
const DEFAULT_SLACK_API_URL = 'https://slack.com/api/';

/** Reads, checks and completes the configuration. Never throws; secrets never appear in faults. */
export function readConfig(input: ReadConfigInput): ReadConfigResult {
  const file = input.file ?? 'wakewell.yaml';
  const yaml = readYamlFile(input.yamlText ?? '', input.env);
  if (yaml.kind === 'faulty') {
    // The environment's faults do not hang on the file's: say them in the same go.
    const { faults } = applyEnvironment({}, input.env);
    return { kind: 'faulty', faults: [...yaml.faults.map((fault) => `${file}:${fault}`), ...faults] };
  }
  const value = yaml.value ?? {};
  const parsed = ConfigFile.safeParse(value);
  if (!parsed.success) {
    const inFile = faultsOf(parsed.error, ConfigFile, value).map(
      ({ path, message }) => `${file}:${yaml.locate(path)}: ${message}`,
    );
    return { kind: 'faulty', faults: [...inFile, ...applyEnvironment({}, input.env).faults] };
  }
  const faults: string[] = [];
  const fault = (path: Path, message: string) => faults.push(`${file}:${yaml.locate(path)}: ${message}`);
  const overridden = applyEnvironment(parsed.data, input.env);
  faults.push(...overridden.faults, ...overridden.incomplete);
  checkNames(overridden.file, input, fault);
  checkExposure(overridden.file, faults);
  if (faults.length > 0) return { kind: 'faulty', faults };
  const config = complete(overridden.file, dirname(file));
  return { kind: 'ok', config, warnings: [...overridden.warnings, ...warningsOf(config)] };
}

/** Under which name Alertmanager's alerts arrive: that of its token, where there is only one to choose. */
function sourceOf(file: ConfigFile): string {
  const names = [...new Set((file.tokens?.webhook ?? []).map((token) => token.name))];
  const [only] = names;
  return file.alertmanager?.source ?? (names.length === 1 && only !== undefined ? only : DEFAULT_SOURCE);
}

/** Everything that names something else must name something that exists. */
function checkNames(
  file: ConfigFile,
  input: ReadConfigInput,
  fault: (path: Path, message: string) => void,
): void {
  const names = (file.receivers ?? []).map((receiver) => receiver.name);
  names.forEach((name, index) => {
    if (names.indexOf(name) < index)
      fault(['receivers', index, 'name'], `receivers[${index}]: a second receiver called "${name}"`);
  });
  const addressable = names.length === 0 ? ['log'] : names;
  (file.receivers ?? []).forEach((receiver, index) => {
    if (receiver.kind !== 'pagerduty') return;
    (receiver.ladder ?? []).forEach((name, position, ladder) => {
      const at = ['receivers', index, 'ladder', position];
      const where = `receivers[${index}].ladder`;
      if (!names.includes(name)) {
        fault(at, `${where}: no receiver is called "${name}"${didYouMean(name, names)}`);
      } else if (name === receiver.name || ladder.indexOf(name) < position) {
        fault(at, `${where}: "${name}" is told already`);
      }
    });
  });
  (file.routes ?? []).forEach((route, index) => {
    route.receivers.forEach((name, position) => {
      if (addressable.includes(name)) return;
      fault(
        ['routes', index, 'receivers', position],
        `routes[${index}]: no receiver is called "${name}"${didYouMean(name, addressable)} (known: ${addressable.join(', ')})`,
      );
    });
    (route.matchers ?? []).forEach((text, position) => {
      const wrong = input.checkMatcher?.(text) ?? null;
      if (wrong !== null) fault(['routes', index, 'matchers', position], `routes[${index}]: ${wrong}`);
    });
  });
  (file.maintenance ?? []).forEach(({ matchers, from, until, weekly }, index) => {
    const at = `maintenance[${index}]`;
    if (matchers.length === 0)
      fault(['maintenance', index], `${at}: no matchers: it would silence everything`);
    matchers.forEach((text, position) => {
      const wrong = input.checkMatcher?.(text) ?? null;
      if (wrong !== null) fault(['maintenance', index, 'matchers', position], `${at}: ${wrong}`);
    });
    const once = from !== undefined && until !== undefined && from < until;
    if (weekly === undefined ? !once : from !== undefined || until !== undefined) {
      fault(['maintenance', index], `${at}: expected from before until, or weekly, and not both`);
    }
  });
  const sources = new Set((file.tokens?.webhook ?? []).map((token) => token.name));
  // Under another name none of its alerts would be known: all of them would be taken in a second time.
  if (file.alertmanager?.url !== undefined && sources.size > 0 && !sources.has(sourceOf(file))) {
    const known = [...sources].join(', ');
    fault(
      ['alertmanager', 'source'],
      `alertmanager.source: no webhook token is called "${sourceOf(file)}", under which its alerts would arrive (known: ${known})`,
    );
  }
  for (const [target, told] of Object.entries(file.escalation_targets ?? {})) {
    told.forEach((name, position) => {
      if (addressable.includes(name)) return;
      fault(
        ['escalation_targets', target, position],
        `escalation_targets.${target}: no receiver is called "${name}"${didYouMean(name, addressable)} (known: ${addressable.join(', ')})`,
      );
    });
  }
  (file.watchdog?.matchers ?? []).forEach((text, index) => {
    const wrong = input.checkMatcher?.(text) ?? null;
    if (wrong !== null) fault(['watchdog', 'matchers', index], `watchdog: ${wrong}`);
  });
  checkPrometheus(file.prometheus, file.scope_labels ?? DEFAULT_SCOPE_LABELS, input.checkMatcher, fault);
  checkKeys('thresholds', 'threshold', file.thresholds, input.thresholdNames, fault);
  checkKeys('slo', 'signal', file.slo, input.signalNames, fault);
}

function checkKeys(
  section: string,
  noun: string,
  values: Readonly<Record<string, number>> | undefined,
  known: ReadonlySet<string> | undefined,
  fault: (path: Path, message: string) => void,
): void {
  for (const name of Object.keys(values ?? {})) {
    if (known === undefined || known.has(name)) continue;
    fault([section, name], `${section}: no ${noun} is called "${name}"${didYouMean(name, known)}`);
  }
}

/** Beyond loopback anybody could open, acknowledge or bury incidents, so both doors need their token. */
function checkExposure(file: ConfigFile, faults: string[]): void {
  const host = file.host ?? '127.0.0.1';
  if (isLoopback(host)) return;
  const missing = [
    (file.tokens?.webhook ?? []).length === 0 ? 'WAKEWELL_WEBHOOK_TOKEN (or tokens.webhook)' : null,
    (file.tokens?.api ?? []).length === 0 ? 'WAKEWELL_API_TOKEN (or tokens.api)' : null,
  ].filter((name) => name !== null);
  if (missing.length > 0) {
    faults.push(
      `host ${host} is reachable from outside: set ${missing.join(' and ')}, or listen on 127.0.0.1`,
    );
  }
}

/** 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

function complete(file: ConfigFile, directory: string): Config {
  const host = file.host ?? '127.0.0.1';
  const port = file.port ?? DEFAULT_PORT;
  const own =
    isLoopback(host) && port !== 0 ? `http://${host.includes(':') ? `[${host}]` : host}:${port}` : null;
  const { bearer_token: upstreamToken, basic_auth: upstreamBasic } = file.alertmanager ?? {};
  const receivers = (file.receivers ?? []).map(toReceiver);
  const heard = receivers.some(({ kind }) => kind === 'slack' || kind === 'pagerduty' || kind === 'log');
  return deepFreeze({
    host,
    port,
    publicUrl: file.public_url ?? own,
    apiUrl: file.url ?? `http://127.0.0.1:${port === 0 ? DEFAULT_PORT : port}`,
    databaseUrl: file.database_url ?? DEFAULT_DATABASE_URL,
    logLevel: file.log_level ?? 'info',
    mode: file.mode ?? 'live',
    timeScale: file.time_scale ?? 1,
    prometheus: prometheusSources(file.prometheus, directory),
    ...(file.loki === undefined ? {} : { loki: toLoki(file.loki) }),
    alertmanager: {
      urls: file.alertmanager?.url ?? [],
      receiver: file.alertmanager?.receiver ?? 'wakewell',
      source: sourceOf(file),
      ...(upstreamToken === undefined ? {} : { bearerToken: upstreamToken }),
      ...(upstreamBasic === undefined ? {} : { basicAuth: upstreamBasic }),
      headers: file.alertmanager?.headers ?? {},
    },
    maintenance: (file.maintenance ?? []).map(({ comment, matchers, from, until, weekly }) => ({
      comment,
      matchers,
      when:
        weekly === undefined
          ? { fromMs: from ?? 0, untilMs: until ?? 0 }
          : {
              days: weekly.days,
              atMinutes: weekly.at,
              forMs: weekly.for,
              timeZone: weekly.timezone ?? 'UTC',
            },
    })),
    scopeLabels: file.scope_labels ?? DEFAULT_SCOPE_LABELS,
    severityMapping: Object.fromEntries(
      Object.entries(file.severity_mapping ?? {}).map(([word, severity]) => [word.toLowerCase(), severity]),
    ),
    receivers: heard ? receivers : [...receivers, { kind: 'log' as const, name: 'log' }],
    routes: (file.routes ?? []).map((route) => ({
      matchers: route.matchers ?? [],
      receivers: route.receivers,
      continue: route.continue ?? false,
    })),
    thresholds: file.thresholds ?? {},
    slo: file.slo ?? {},
    playbookDirectories: (file.playbooks ?? []).map((one) => resolve(directory, one)),
    engineDirectories: (file.engines ?? []).map((one) => resolve(directory, one)),
    tokens: { webhook: file.tokens?.webhook ?? [], api: file.tokens?.api ?? [] },
    backup: {
      schedule: file.backup?.schedule === undefined ? '23 * * * *' : file.backup.schedule,
      directory: file.backup?.directory === undefined ? null : resolve(directory, file.backup.directory),
      keep: file.backup?.keep ?? 12,
    },
    retention: {
      incidentsMs: file.retention?.incidents ?? 365 * DAY_MS,
      recordingsMs: file.retention?.recordings ?? 90 * DAY_MS,
      receiptsMs: file.retention?.receipts ?? 14 * DAY_MS,
    },
    ...(file.dead_man === undefined
      ? {}
      : { deadMan: { url: file.dead_man.url, intervalMs: file.dead_man.interval ?? MINUTE } }),
    escalationTargets: Object.fromEntries(
      Object.entries(file.escalation_targets ?? {}).map(([name, told]) => [name.trim().toLowerCase(), told]),
    ),
    watchdog: {
      matchers: file.watchdog?.matchers ?? ['alertname="Watchdog"'],
      intervalMs: file.watchdog?.interval ?? null,
    },
    reminders: {
      criticalMs: file.reminders?.critical ?? 900_000,
      warningMs: file.reminders?.warning ?? 3_600_000,
    },
    timings: {
      pageDeadlineMs: file.timings?.page_deadline ?? 5_000,
      diagnosisMs: file.timings?.diagnosis ?? 4_000,
      queryMs: file.timings?.query ?? 3_000,
      resolveHoldMs: file.timings?.resolve_hold ?? 300_000,
      reopenWindowMs: file.timings?.reopen_window ?? 1_800_000,
    },
    flapping: {
      cycles: file.flapping?.cycles ?? 3,
      withinMs: file.flapping?.within ?? 30 * MINUTE,
      quietMs: file.flapping?.quiet ?? 15 * MINUTE,
    },
    storm: {
      incidents: file.storm?.incidents ?? 5,
      withinMs: file.storm?.within ?? 2 * MINUTE,
      quietMs: file.storm?.quiet ?? 10 * MINUTE,
      cardEveryMs: file.storm?.card_every ?? MINUTE,
      pageEveryMs: file.storm?.page_every ?? 15 * MINUTE,
    },
    pageCeilings: file.page_ceilings?.map(({ pages, within }) => ({ pages, withinMs: within })) ?? [
      { pages: 3, withinMs: 15 * MINUTE },
      { pages: 7, withinMs: HOUR },
    ],
  });
}

function toReceiver(entry: ReceiverEntry): ReceiverConfig {
  switch (entry.kind) {
    case 'pagerduty':
      return {
        kind: 'pagerduty',
        name: entry.name,
        routingKey: entry.routing_key,
        eventsUrl: entry.events_url ?? DEFAULT_EVENTS_URL,
        ...(entry.events_per_minute === undefined ? {} : { eventsPerMinute: entry.events_per_minute }),
        ...(entry.ladder === undefined ? {} : { ladder: entry.ladder }),
        signingSecrets: entry.signing_secrets ?? [],
      };
    case 'slack':
      return {
        kind: 'slack',
        name: entry.name,
        botToken: entry.bot_token,
        channel: entry.channel,
        apiUrl: entry.api_url === undefined ? DEFAULT_SLACK_API_URL : `${entry.api_url}/`,
        ...(entry.mention === undefined ? {} : { mention: entry.mention }),
        ...(entry.signing_secret === undefined ? {} : { signingSecret: entry.signing_secret }),
        ...(entry.app_id === undefined ? {} : { appId: entry.app_id }),
        teams: entry.teams ?? [],
      };
    case 'webhook':
      return {
        kind: 'webhook',
        name: entry.name,
        url: entry.url,
        ...(entry.secret === undefined ? {} : { secret: entry.secret }),
      };
    case 'log':
      return { kind: 'log', name: entry.name };
  }
}

/** Legal, but somebody will be surprised. */
function warningsOf(config: Config): string[] {
  const warnings: string[] = [];
  if (config.mode === 'shadow') {
    warnings.push('mode is shadow: everything is decided and shown, and nobody is told of anything');
  }
  if (config.prometheus.length === 0) {
    warnings.push('no PROMETHEUS_URL: incidents are opened and routed, but no check can see a metric');
  }
  if (!config.receivers.some(({ kind }) => kind === 'pagerduty')) {
    warnings.push(
      'no pager is configured: a critical alert wakes nobody, its page is drawn at /outbox and in the log',
    );
  }
  for (const one of config.receivers) {
    if (one.kind === 'slack' && one.signingSecret === undefined) {
      warnings.push(`Slack receiver "${one.name}" has no signing secret: its cards have no buttons`);
    }
  }
  if (config.publicUrl === null) {
    warnings.push('no WAKEWELL_PUBLIC_URL: messages carry no link to the incident');
  }
  return warnings;
}

/** Pods of one namespace share their logs in every common set-up; cluster and model seldom are labels of a stream. */
const LOKI_LABELS = { namespace: 'namespace' };

function toLoki(loki: NonNullable<ConfigFile['loki']>): NonNullable<Config['loki']> {
  return {
    url: loki.url,
    ...(loki.bearer_token === undefined ? {} : { bearerToken: loki.bearer_token }),
    ...(loki.basic_auth === undefined ? {} : { basicAuth: loki.basic_auth }),
    headers: loki.headers ?? {},
    labels: loki.labels ?? LOKI_LABELS,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
