/** `wakewell incidents …`: the incidents of the running service. */

import { clean, cut } from '../render/neutralise.js';
import { callService } from './call-service.js';
import { EXIT } from './exit-codes.js';
import { diagnosisLines, type PrintedDiagnosis } from './print.js';

/** What these commands read of the API's answers. */
type Listed = {
  readonly id: string;
  readonly state: string;
  readonly severity: string;
  readonly alertname: string;
  readonly scope: Readonly<Record<string, string>>;
  readonly opened_at: string;
  readonly acknowledged_by: string | null;
  readonly verdict: { readonly says: string } | null;
};

type Shown = {
  readonly id: string;
  readonly state: string;
  readonly headline: string;
  readonly acknowledged_by: string | null;
  readonly resolved_by: string | null;
  readonly links: { readonly html: string };
  readonly diagnosis: {
    readonly verdict: Omit<PrintedDiagnosis['verdict'], 'wrongFixes'> & {
      readonly do_not: PrintedDiagnosis['verdict']['wrongFixes'];
    };
    readonly steps: readonly (Omit<PrintedDiagnosis['findings'][number], 'status'> & {
      readonly result: PrintedDiagnosis['findings'][number]['status'];
    })[];
  } | null;
};

const incidentPath = (id: string) => `/api/v1/incidents/${encodeURIComponent(id)}`;

/** Two lines an incident: symptom and cause. Filters are those of the API. */
export async function listIncidents(options: {
  readonly state?: string;
  readonly severity?: string;
  readonly q?: string;
  readonly limit?: string;
  readonly json: boolean;
}): Promise<number> {
  const { json, ...filters } = options;
  const query = new URLSearchParams(
    Object.entries(filters).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const answer = (await callService(`/api/v1/incidents?${query}`)) as { readonly data: readonly Listed[] };
  if (json) {
    console.log(JSON.stringify(answer));
    return EXIT.fine;
  }
  if (answer.data.length === 0) {
    console.log(
      query.size === 0 ? 'No incidents. To make one: wakewell fire LLMHighTTFT' : 'No incident fits.',
    );
    return EXIT.fine;
  }
  console.log(
    `${'ID'.padEnd(9)} ${'STATE'.padEnd(13)} ${'SEVERITY'.padEnd(9)} ${'OPENED (UTC)'.padEnd(17)} WHAT`,
  );
  for (const one of answer.data) {
    const opened = one.opened_at.slice(0, 16).replace('T', ' ');
    const place = clean(Object.values(one.scope).join('/'));
    console.log(
      `${one.id.padEnd(9)} ${one.state.padEnd(13)} ${one.severity.padEnd(9)} ${opened.padEnd(17)} ${cut(clean(one.alertname), 60)} ${cut(place, 60)}`,
    );
    const who = one.acknowledged_by === null ? '' : ` (acked by ${cut(clean(one.acknowledged_by), 30)})`;
    console.log(`          ${cut(clean(one.verdict?.says ?? 'not diagnosed yet'), 100)}${who}`);
  }
  const open = answer.data.find((one) => one.state !== 'resolved') ?? answer.data[0];
  console.log(`Next: wakewell incidents show ${open?.id}`);
  return EXIT.fine;
}

/** Headline, verdict, checks, what to do and what not. */
export async function showIncident(id: string, options: { readonly json: boolean }): Promise<number> {
  const answer = (await callService(incidentPath(id))) as Shown;
  if (options.json) {
    console.log(JSON.stringify(answer));
    return EXIT.fine;
  }
  const { diagnosis } = answer;
  const by = answer.resolved_by ?? answer.acknowledged_by;
  const lines =
    diagnosis === null
      ? ['Not diagnosed yet.']
      : diagnosisLines({
          verdict: { ...diagnosis.verdict, wrongFixes: diagnosis.verdict.do_not },
          findings: diagnosis.steps.map((step) => ({ ...step, status: step.result })),
        });
  console.log([clean(answer.headline), '', ...lines, ''].join('\n'));
  console.log(
    `${answer.id} is ${answer.state}${by === null ? '' : ` (${clean(by)})`}; page: ${answer.links.html}`,
  );
  return EXIT.fine;
}

const DONE = {
  acknowledge: 'acknowledged',
  resolve: 'resolved',
  reopen: 'reopened',
  notes: 'noted',
  diagnoses: 'the checks are being run again',
} as const;

/** Acknowledge, resolve, reopen, add a note, or ask for the checks. Repeating one is fine. */
export async function changeIncident(
  id: string,
  change: keyof typeof DONE,
  options: { readonly comment?: string; readonly json: boolean },
): Promise<number> {
  const body = options.comment === undefined ? {} : { comment: options.comment };
  const answer = await callService(`${incidentPath(id)}/${change}`, { method: 'POST', body });
  console.log(options.json ? JSON.stringify(answer) : `${(answer as Shown).id}: ${DONE[change]}.`);
  return EXIT.fine;
}

/** Silences it in Alertmanager and says what exactly, and until when. */
export async function silenceIncident(
  id: string,
  options: { readonly for: string; readonly comment?: string; readonly json: boolean },
): Promise<number> {
  const { json, ...body } = options;
  const answer = (await callService(`${incidentPath(id)}/silence`, { method: 'POST', body })) as Shown & {
    readonly silences: readonly { readonly matchers: string; readonly ends_at: string }[];
  };
  if (json) {
    console.log(JSON.stringify(answer));
    return EXIT.fine;
  }
  for (const { matchers, ends_at } of answer.silences) {
    console.log(
      `${answer.id}: silenced until ${ends_at.slice(0, 16).replace('T', ' ')} UTC: {${clean(matchers)}}`,
    );
  }
  console.log('Other alerts still page. When they still fire at its end, it pages again.');
  return EXIT.fine;
}
