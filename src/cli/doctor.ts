/** `wakewell doctor`: what a page depends on, tried and read once, with what to mend. */

import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createAlertmanagerClient } from '../alertmanager/alertmanager-client.js';
import { systemClock } from '../app.js';
import type { Config } from '../config/config.js';
import { placeOf } from '../domain/scope.js';
import { type DoctorReport, examine, hasFindings, type Reached } from '../health/doctor.js';
import { reachReceiver } from '../receivers/reach.js';
import { clean } from '../render/neutralise.js';
import { connectPrometheus } from './connect-prometheus.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEngines, loadEntries } from './load-playbook.js';

/** Exit 1 when there is something to mend, 3 when Prometheus cannot be reached. */
export async function doctor(options: { readonly json: boolean }): Promise<number> {
  const config = requireConfig();
  const engines = loadEngines(config.engineDirectories);
  const entries = loadEntries(config.playbookDirectories, config.thresholds);
  const faults = [...engines.faults, ...entries.faults];
  if (faults.length > 0) throw new CommandFailure(EXIT.usage, faults.join('\n'));
  const metrics = config.prometheus.length === 0 ? null : connectPrometheus(config, engines.found);
  try {
    const report = await examine({
      metrics,
      engines: engines.found,
      entries: entries.found,
      scopeLabels: config.scopeLabels,
      reach: reachAll(config),
      clock: systemClock,
    });
    console.log(options.json ? JSON.stringify(report) : doctorLines(report).join('\n'));
    if (metrics !== null && report.rules.length === 0) return EXIT.unreachable;
    return hasFindings(report) ? EXIT.found : EXIT.fine;
  } finally {
    await metrics?.close();
  }
}

function reachAll(config: Config): (() => Promise<Reached>)[] {
  const { alertmanager, receivers } = config;
  return [
    ...(alertmanager.urls.length === 0
      ? [async () => ({ name: 'alertmanager', ok: null, detail: 'not configured: set ALERTMANAGER_URL' })]
      : alertmanager.urls.map((url) => () => reachAlertmanager(config, url))),
    ...receivers.map((receiver) => async () => ({
      name: `${receiver.kind} ${receiver.name}`,
      ...(await reachReceiver(receiver, globalThis.fetch)),
    })),
    () => reachDatabase(config),
  ];
}

async function reachAlertmanager(config: Config, url: string): Promise<Reached> {
  const { bearerToken, basicAuth, headers } = config.alertmanager;
  const client = createAlertmanagerClient({
    baseUrl: url,
    ...(bearerToken === undefined ? {} : { bearerToken: bearerToken.reveal() }),
    ...(basicAuth === undefined
      ? {}
      : { basicAuth: { username: basicAuth.username, password: basicAuth.password.reveal() } }),
    headers,
    read: { source: 'doctor', scopeLabels: config.scopeLabels, severityMapping: config.severityMapping },
    timeoutMs: config.timings.queryMs,
    clock: systemClock,
  });
  const status = await client.status();
  await client.close();
  return {
    name: 'alertmanager',
    ok: status.kind === 'ok',
    detail: status.kind === 'ok' ? 'answers' : status.detail,
  };
}

/** The running service knows best; without one, whether its file could be opened. */
async function reachDatabase(config: Config): Promise<Reached> {
  const name = 'database';
  try {
    const response = await fetch(`${config.apiUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    const ok = response.status === 200;
    return {
      name,
      ok,
      detail: ok ? 'the running service commits' : `the running service answers ${response.status}`,
    };
  } catch {
    const file = config.databaseUrl.replace(/^file:/, '');
    const present = existsSync(file);
    try {
      accessSync(present ? file : nearest(dirname(file)), constants.W_OK);
      return {
        name,
        ok: true,
        detail: `no service runs; ${present ? `${file} can be written` : `${file} would be made`}`,
      };
    } catch {
      return { name, ok: false, detail: `no service runs, and ${file} cannot be written` };
    }
  }
}

/** The nearest directory above that exists. */
function nearest(directory: string): string {
  return existsSync(directory) || dirname(directory) === directory ? directory : nearest(dirname(directory));
}

/** What was tried, then each scope with what is blind in it, then the rules. */
export function doctorLines({ reached, scopes, rules }: DoctorReport): string[] {
  return [
    ...reached.map(({ name, ok, detail }) => `${mark(ok)} ${name.padEnd(20)} ${clean(detail)}`),
    ...scopes.flatMap((scope) => ['', ...scopeLines(scope)]),
    '',
    ...(rules.length === 0 ? ['? rules                not looked at'] : rules.flatMap(ruleLines)),
  ];
}

function scopeLines({
  scope,
  engines,
  missingLabels,
  signals,
  blindSteps,
}: DoctorReport['scopes'][number]): string[] {
  const seen = signals.filter(({ state }) => state === 'value' || state === 'quiet').length;
  const none = signals.filter(({ state }) => state === 'none').length;
  const blind = signals.filter(({ state }) => state === 'blind');
  const steps = new Map<string, string[]>();
  for (const { step, entry } of blindSteps) steps.set(step, [...(steps.get(step) ?? []), entry]);
  return [
    `${clean(placeOf(scope))}  (${engines.join(', ')})`,
    ...missingLabels.map(
      (name) => `  ✗ its series carry no label ${clean(name)}: an alert that carries one finds nothing here`,
    ),
    `  ${seen} signals seen, ${blind.length} blind, ${none} that nothing here exports`,
    ...signals
      .filter(({ state }) => state === 'value')
      .map(({ signal, says, engine }) => `  ✓ ${signal.padEnd(28)} ${clean(says)}  [${engine ?? '-'}]`),
    ...signals
      .filter(({ state }) => state === 'quiet')
      .map(({ signal, says }) => `  ~ ${signal.padEnd(28)} ${clean(says)}`),
    ...blind.map(({ signal, says }) => `  ? ${signal.padEnd(28)} ${clean(says)}`),
    ...bySaying(signals.filter(({ state }) => state === 'none')).map(
      ([says, names]) => `  · ${clean(says)}: ${names.join(', ')}`,
    ),
    ...(steps.size === 0 ? [] : ['  Playbook steps that see nothing here:']),
    ...[...steps].map(
      ([step, where]) => `    ${clean(step)}  (${where.length} ${where.length === 1 ? 'entry' : 'entries'})`,
    ),
  ];
}

/** What is missing for the same reason stands on one line. */
function bySaying(signals: DoctorReport['scopes'][number]['signals']): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const { says, signal } of signals) groups.set(says, [...(groups.get(says) ?? []), signal]);
  return [...groups];
}

function ruleLines(rules: DoctorReport['rules'][number]): string[] {
  const name = (rules.source === null ? 'rules' : `rules ${rules.source}`).padEnd(20);
  if (rules.kind === 'failed') return [`? ${name} ${clean(rules.detail)}`];
  if (rules.count === 0)
    return [`✗ ${name} none is loaded: wakewell rules -o rules.yml, and name it in rule_files`];
  return [
    `${mark(rules.dead.length + rules.failing.length === 0)} ${name} ${rules.count} loaded`,
    ...rules.dead.map(
      ({ name, missing }) => `  ✗ ${clean(name)} can never fire: no series for ${clean(missing.join(', '))}`,
    ),
    ...rules.failing.map(({ name, error }) => `  ✗ ${clean(name)} fails: ${clean(error)}`),
    ...(rules.withoutEntry.length === 0
      ? []
      : [
          `  ! without an entry of their own, served by the default one: ${clean(rules.withoutEntry.join(', '))}`,
        ]),
  ];
}

function mark(ok: boolean | null): string {
  return ok === null ? '-' : ok ? '✓' : '✗';
}
