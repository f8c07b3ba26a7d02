/** `wakewell fire`: posts to the running service what Alertmanager would post for an alert or a whole scenario. */

import { ALERTS } from '../catalog/alerts.js';
import { nearestWord } from '../config/suggest.js';
import { DEFAULT_SCOPE, isScenarioName, SCENARIO_NAMES, SCENARIOS } from '../simulator/scenarios.js';
import { callWebhook } from './call-service.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { readPair } from './print.js';

export type FireOptions = {
  readonly label: readonly string[];
  readonly severity?: string;
  readonly resolve: boolean;
  readonly json: boolean;
};

/** What Go writes for "not ended". */
const NO_END = '0001-01-01T00:00:00Z';

export async function fire(what: string, options: FireOptions): Promise<number> {
  const names = alertsOf(what);
  const now = new Date().toISOString();
  const status = options.resolve ? 'resolved' : 'firing';
  const answer = await callWebhook({
    version: '4',
    groupKey: `{}:{alertname="${names[0]}"}`,
    truncatedAlerts: 0,
    status,
    receiver: 'wakewell',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: '',
    alerts: names.map((alertname) => ({
      status,
      labels: {
        alertname,
        ...DEFAULT_SCOPE,
        severity: options.severity ?? severityOf(alertname),
        ...Object.fromEntries(options.label.map(readPair)),
      },
      annotations: { summary: `${alertname}, fired by hand` },
      startsAt: now,
      endsAt: options.resolve ? now : NO_END,
      generatorURL: '',
    })),
  });
  if (options.json) {
    console.log(JSON.stringify(answer));
    return EXIT.fine;
  }
  const incidents = idsOf(answer);
  console.log(
    `${options.resolve ? 'Resolved' : 'Fired'} ${names.join(', ')}: ${incidents.join(', ') || 'taken'}.`,
  );
  const { apiUrl } = requireConfig();
  for (const id of incidents) console.log(`${apiUrl}/i/${id.replace(/^INC-/, '')}`);
  if (incidents[0] !== undefined) console.log(`Next: wakewell incidents show ${incidents[0]}`);
  return EXIT.fine;
}

/** The alerts of a scenario, or the alert itself. A near miss of a known name is a typo; anything else is the operator's own alert. */
function alertsOf(what: string): readonly string[] {
  if (isScenarioName(what)) {
    const { alertNames } = SCENARIOS[what].expected;
    if (alertNames.length === 0) throw new CommandFailure(EXIT.usage, `the scenario ${what} raises no alert`);
    return alertNames;
  }
  const known = [...new Set(ALERTS.map((alert) => alert.name)), ...SCENARIO_NAMES];
  if (known.includes(what)) return [what];
  const near = nearestWord(what, known);
  if (near !== null) {
    throw new CommandFailure(
      EXIT.noSuchThing,
      `no alert or scenario is called "${what}"; did you mean "${near}"? (If not: fire ${near} -l alertname=${what})`,
    );
  }
  return [what];
}

/** Some alerts exist in two severities: the one that pages is what a test wants to see. */
function severityOf(alertname: string): string {
  const severities = ALERTS.filter((alert) => alert.name === alertname).map((alert) => alert.severity);
  return severities.includes('critical') ? 'critical' : (severities[0] ?? 'warning');
}

function idsOf(answer: unknown): string[] {
  const incidents = (answer as { readonly incidents?: unknown } | null)?.incidents;
  return Array.isArray(incidents) ? incidents.map(String) : [];
}
