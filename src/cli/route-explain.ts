/** `wakewell route explain`: what a webhook payload would come to with this configuration, offline. */

import { readFileSync } from 'node:fs';
import { parseWebhook } from '../alertmanager/payload.js';
import { DEFAULT_SOURCE } from '../alertmanager/webhook-tokens.js';
import type { Config } from '../config/config.js';
import { type ExplainedRoute, explainRoute, type RoutedIncident } from '../incidents/explain-route.js';
import { explainsFrom } from '../playbook/explains.js';
import { matchEntry } from '../playbook/match.js';
import { clean } from '../render/neutralise.js';
import { compileRoutes, createMatcher, createRouter } from '../routing/router.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEntries } from './load-playbook.js';

/** Reads a file, or standard input for "-". Exit 1 when a part of it could not be read. */
export function routeExplain(file: string, options: { readonly json: boolean }): number {
  const config = requireConfig();
  const explained = explainBody(readBody(file), config);
  if (options.json) console.log(JSON.stringify(explained));
  else console.log(linesOf(explained).join('\n'));
  return explained.unreadable.length === 0 ? EXIT.fine : EXIT.found;
}

function readBody(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new CommandFailure(EXIT.usage, `${file} cannot be read: ${(error as Error).message}`);
  }
}

function explainBody(body: Uint8Array, config: Config): ExplainedRoute {
  const loaded = loadEntries(config.playbookDirectories, config.thresholds);
  if (loaded.faults.length > 0) throw new CommandFailure(EXIT.usage, loaded.faults.join('\n'));
  const { scopeLabels, severityMapping, timings } = config;
  const source = config.tokens.webhook[0]?.name ?? DEFAULT_SOURCE;
  const parsed = parseWebhook(body, { source, scopeLabels, severityMapping });
  return explainRoute(
    { source, body, parsed },
    {
      explains: explainsFrom(loaded.found),
      route: createRouter(compileRoutes(config.routes), config.receivers),
      reopenWindowMs: timings.reopenWindowMs,
      resolveHoldMs: timings.resolveHoldMs,
      entryOf(labels) {
        const { entry, why } = matchEntry(loaded.found, labels);
        return { id: entry.id, why };
      },
      isHeartbeat: createMatcher(config.watchdog.matchers),
      shadow: config.mode === 'shadow',
      nowMs: Date.now(),
    },
  );
}

function linesOf({ alerts, incidents, unreadable }: ExplainedRoute): string[] {
  const lines: string[] = [];
  for (const one of alerts) {
    const scope = Object.entries(one.scope).map(([name, value]) => `${name}=${value}`);
    lines.push(
      `${clean(one.name)} (${one.status})`,
      `  severity  ${one.severity}${one.severityNote === null ? '' : `: ${clean(one.severityNote)}`}`,
      `  scope     ${scope.length === 0 ? 'none of the scope labels' : clean(scope.join(', '))}`,
      `  playbook  ${clean(one.entry.why)}`,
      ...(one.aside === null ? [] : [`  ${one.aside}`]),
    );
  }
  for (const incident of incidents) lines.push('', ...incidentLines(incident));
  if (incidents.length === 0) lines.push('', 'It opens no incident.');
  for (const reason of unreadable) lines.push('', `Could not be read: ${clean(reason)}`);
  return lines;
}

function incidentLines({ name, severity, story, receivers, reasons }: RoutedIncident): string[] {
  return [
    `One incident, if none is open for it: ${severity} ${clean(name)}`,
    ...story.map((text) => `  ${clean(text)}`),
    ...receivers.map(({ receiver, sends, why }) => {
      const what = sends.length === 0 ? 'nothing' : sends.join(', ').replaceAll('_', ' ');
      return `  ${receiver}: ${what} (${clean(why)})`;
    }),
    ...reasons.map(({ code, detail, says }) => `  ${code}: ${clean(detail)}. ${says}`),
  ];
}
