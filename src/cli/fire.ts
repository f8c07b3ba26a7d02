import { ALERTS } from '../catalog/alerts.js';
import { SCENARIOS } from '../simulator/scenarios.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { readPair } from './incidents.js';
import { requireConfig } from './load-config.js';

/** Where the simulated fleet says it is, so that a fired alert finds its metrics in the demo. */
const DEMO_SCOPE = { cluster: 'prod-us', namespace: 'llm-serving', model: 'llama-70b' };

export type FireOptions = {
  readonly label: readonly string[];
  readonly severity?: string;
  readonly resolve: boolean;
  readonly json: boolean;
};

/** `wakewell fire <scenario|alert>`: posts what Alertmanager would post for it to the running service. */
export async function fire(what: string, options: FireOptions): Promise<number> {
  const config = requireConfig();
  const scenario = Object.hasOwn(SCENARIOS, what) ? SCENARIOS[what as keyof typeof SCENARIOS] : undefined;
  const names = scenario === undefined ? [what] : scenario.expected.alertNames;
  if (names.length === 0) throw new CommandFailure(EXIT.usage, `the scenario ${what} raises no alert`);
  const now = new Date().toISOString();
  const alerts = names.map((alertname) => ({
    status: options.resolve ? 'resolved' : 'firing',
    labels: {
      alertname,
      ...DEMO_SCOPE,
      severity: options.severity ?? ALERTS.find((alert) => alert.name === alertname)?.severity ?? 'warning',
      ...Object.fromEntries(options.label.map(readPair)),
    },
    annotations: { summary: `${alertname}, fired by hand` },
    startsAt: now,
    endsAt: options.resolve ? now : '0001-01-01T00:00:00Z',
    generatorURL: '',
  }));
  const token = config.tokens.webhook[0]?.token.reveal();
  const response = await fetch(new URL('/api/v1/alertmanager', config.apiUrl), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      version: '4',
      groupKey: `{}:{alertname="${names[0]}"}`,
      truncatedAlerts: 0,
      status: options.resolve ? 'resolved' : 'firing',
      receiver: 'wakewell',
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      externalURL: '',
      alerts,
    }),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => {
    throw new CommandFailure(
      EXIT.unreachable,
      `no service answers at ${config.apiUrl}: is \`wakewell serve\` running? (WAKEWELL_URL)`,
    );
  });
  if (!response.ok) throw new CommandFailure(EXIT.refused, `the service answered HTTP ${response.status}`);
  const answer: unknown = await response.json().catch(() => null);
  if (options.json) console.log(JSON.stringify(answer));
  else
    console.log(
      `${options.resolve ? 'Resolved' : 'Fired'} ${names.join(', ')}. See ${config.apiUrl}/incidents`,
    );
  return EXIT.fine;
}
