/** Clients and sources of everything that is configured: one pool and one circuit breaker each. */

import { readFileSync } from 'node:fs';
import type { EngineFile } from '../catalog/engine-file.js';
import type { PrometheusConfig } from '../config/prometheus-config.js';
import type { Clock } from '../domain/clock.js';
import { AppError } from '../domain/errors.js';
import type { Matcher } from '../domain/labels.js';
import { compileRoutes } from '../routing/router.js';
import { type Chosen, chooseSource, type NamedSource } from './choose-source.js';
import { createScopeFinder } from './find-scopes.js';
import { createPrometheusClient, type PrometheusClient } from './prometheus-client.js';
import { createPrometheusSource } from './prometheus-source.js';

export type ConnectOptions = {
  readonly sources: readonly PrometheusConfig[];
  readonly engines: readonly EngineFile[];
  readonly scopeLabels: readonly string[];
  readonly queryMs: number;
  readonly clock: Clock;
  readonly timeScale: number;
  readonly defaultWindowMs?: number;
};

export type ConnectedSource = NamedSource & {
  readonly client: PrometheusClient;
  /** Labels that none of its series carries. */
  readonly externalLabels: Readonly<Record<string, string>>;
};

export type ConnectedSources = Chosen & {
  readonly sources: readonly ConnectedSource[];
  readonly close: () => Promise<void>;
};

/** Asks nothing yet. Throws AppError `bad_request` with every CA file that cannot be read. */
export function connectSources(options: ConnectOptions): ConnectedSources {
  const faults = caFaults(options.sources);
  if (faults.length > 0) throw new AppError('bad_request', faults.join('\n'));
  const sources = options.sources.map((config) => connect(config, options));
  return {
    ...chooseSource(sources),
    sources,
    async close() {
      await Promise.all(sources.map(({ client }) => client.close()));
    },
  };
}

/** CA files that cannot be read or hold no certificate, one line each. */
export function caFaults(sources: readonly PrometheusConfig[]): string[] {
  return sources.flatMap(({ name, caFile }) => {
    if (caFile === undefined) return [];
    const where = `prometheus ${name}: ca_file ${caFile}`;
    try {
      const isPem = readFileSync(caFile, 'utf8').includes('-----BEGIN CERTIFICATE-----');
      return isPem ? [] : [`${where} holds no certificate in PEM`];
    } catch (error) {
      return [`${where} cannot be read: ${(error as Error).message}`];
    }
  });
}

function connect(config: PrometheusConfig, options: ConnectOptions): ConnectedSource {
  const { engines, clock, timeScale, defaultWindowMs } = options;
  const { name, url, bearerToken, basicAuth, headers, caFile, externalLabels } = config;
  const client = createPrometheusClient({
    baseUrl: url,
    ...(bearerToken === undefined ? {} : { bearerToken: bearerToken.reveal() }),
    ...(basicAuth === undefined
      ? {}
      : { basicAuth: { username: basicAuth.username, password: basicAuth.password.reveal() } }),
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
    headers,
    timeoutMs: options.queryMs,
    clock,
  });
  return {
    name,
    chosenBy: matchersOf(config),
    client,
    externalLabels,
    source: createPrometheusSource({
      client,
      engines,
      clock,
      timeScale,
      ...(defaultWindowMs === undefined ? {} : { defaultWindowMs }),
      externalLabels: Object.keys(externalLabels),
    }),
    findScopes: createScopeFinder(client, engines, options.scopeLabels, externalLabels),
  };
}

/** External labels are conditions of equality, beside those that are written as matchers. */
function matchersOf({ externalLabels, match }: PrometheusConfig): Matcher[] {
  const [written] = compileRoutes([{ matchers: match, receivers: [] }]);
  const external = Object.entries(externalLabels).map(
    ([name, value]): Matcher => ({ name, operator: '=', value }),
  );
  return [...external, ...(written?.matchers ?? [])];
}
