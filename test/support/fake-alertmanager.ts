/**
 * Alertmanager's API v2 as 0.25 answers it: what it holds, its silences, its status. A silence that is created
 * takes effect by its matchers, as there; inhibition and restarts are what the test says. Sources: measured
 * answers of 0.25 and `api/v2/openapi.yaml`.
 */

import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../../src/domain/clock.js';
import { canonicalLabels, type Labels, labelsFrom, type MatchOperator } from '../../src/domain/labels.js';
import { matchesAll } from '../../src/routing/parse-matchers.js';
import { type Answer, type FakeRequest, type FakeServer, startHttpFake } from './http-fake.js';

export type Held = {
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly receivers: readonly string[];
  readonly inhibitedBy: readonly string[];
  readonly mutedBy: readonly string[];
  readonly state: 'active' | 'unprocessed';
};

type FakeMatcher = {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual?: boolean;
};
export type FakeSilence = {
  readonly id: string;
  readonly matchers: readonly FakeMatcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
};

export type FakeAlertmanager = FakeServer & {
  /** From now on it holds this alert as firing. */
  readonly hold: (labels: Readonly<Record<string, string>>, over?: Partial<Held>) => void;
  readonly drop: (labels: Readonly<Record<string, string>>) => void;
  /** As somebody would by amtool: every matcher is `=`. Returns its id. */
  readonly silence: (
    matchers: Readonly<Record<string, string>>,
    over: { readonly by?: string; readonly comment?: string; readonly untilMs: number },
  ) => string;
  readonly expire: (id: string) => void;
  readonly silences: () => readonly FakeSilence[];
  /** A restart: everything held is forgotten, silences are kept. */
  readonly restart: () => void;
  /** How long ago it started, ms. */
  readonly setUpFor: (ms: number) => void;
  readonly setCluster: (status: 'ready' | 'settling' | 'disabled') => void;
  /** Alertmanager's fingerprint of a label set, as this fake makes it. */
  readonly fingerprint: (labels: Readonly<Record<string, string>>) => string;
};

const DAY_MS = 86_400_000;

/** Its idea of "now" for silences is `clock`; `Date` headers and uptime are the system's, as they are elsewhere. */
export async function startFakeAlertmanager(options: {
  readonly clock: Clock;
  readonly receiver?: string;
}): Promise<FakeAlertmanager> {
  const { clock } = options;
  const held = new Map<string, Held & { readonly labels: Labels }>();
  const silences = new Map<string, FakeSilence>();
  let upForMs = DAY_MS;
  let cluster = 'disabled';

  const fingerprint = (labels: Readonly<Record<string, string>>) =>
    createHash('sha256').update(canonicalLabels(labels)).digest('hex').slice(0, 16);

  function stateOf(silence: FakeSilence): 'active' | 'pending' | 'expired' {
    if (Date.parse(silence.endsAt) <= clock.now()) return 'expired';
    return Date.parse(silence.startsAt) > clock.now() ? 'pending' : 'active';
  }

  function silencedBy(labels: Labels): string[] {
    return [...silences.values()]
      .filter((silence) => stateOf(silence) === 'active' && matches(silence, labels))
      .map(({ id }) => id);
  }

  function answer(request: FakeRequest): Answer {
    switch (`${request.method} ${request.path}`) {
      case 'GET /api/v2/status':
        return json({
          cluster: { status: cluster, peers: [] },
          versionInfo: { version: '0.25.0' },
          uptime: new Date(Date.now() - upForMs).toISOString(),
          config: { original: '' },
        });
      case 'GET /api/v2/alerts':
        return json(
          [...held.values()].filter((one) => one.endsAtMs > clock.now()).map((one) => toAlert(one)),
        );
      case 'GET /api/v2/silences':
        return json([...silences.values()].map((one) => ({ ...one, status: { state: stateOf(one) } })));
      case 'POST /api/v2/silences':
        return createSilence(request);
      default:
        return { status: 404, body: '' };
    }
  }

  function toAlert(one: Held & { readonly labels: Labels }) {
    const by = silencedBy(one.labels);
    const quiet = by.length + one.inhibitedBy.length + one.mutedBy.length > 0;
    return {
      labels: { ...one.labels },
      annotations: { summary: 'held' },
      startsAt: new Date(one.startsAtMs).toISOString(),
      endsAt: new Date(one.endsAtMs).toISOString(),
      updatedAt: new Date(clock.now()).toISOString(),
      fingerprint: fingerprint(one.labels),
      generatorURL: '',
      receivers: one.receivers.map((name) => ({ name })),
      status: {
        state: quiet ? 'suppressed' : one.state,
        silencedBy: by,
        inhibitedBy: one.inhibitedBy,
        // 0.28 and newer only.
        ...(one.mutedBy.length === 0 ? {} : { mutedBy: one.mutedBy }),
      },
    };
  }

  function createSilence(request: FakeRequest): Answer {
    if (request.headers['content-type'] !== 'application/json') return { status: 415, body: '' };
    const silence = JSON.parse(request.body) as Omit<FakeSilence, 'id'>;
    const fault = (code: number, message: string): Answer => ({
      status: 422,
      body: JSON.stringify({ code, message }),
    });
    if ((silence.matchers ?? []).length === 0)
      return fault(612, 'matchers in body should have at least 1 items');
    if ((silence.createdBy ?? '') === '') return fault(602, 'createdBy in body is required');
    if ((silence.comment ?? '') === '') return fault(602, 'comment in body is required');
    if (Date.parse(silence.endsAt) <= Date.parse(silence.startsAt)) {
      return {
        status: 400,
        body: JSON.stringify('Failed to create silence: start time must be before end time'),
      };
    }
    const id = randomUUID();
    silences.set(id, { ...silence, id });
    return json({ silenceID: id });
  }

  const server = await startHttpFake(answer);
  return {
    ...server,
    hold(labels, over = {}) {
      held.set(canonicalLabels(labels), {
        labels: labelsFrom(Object.entries(labels)),
        startsAtMs: clock.now() - 60_000,
        endsAtMs: clock.now() + 4 * 60_000,
        receivers: [options.receiver ?? 'wakewell'],
        inhibitedBy: [],
        mutedBy: [],
        state: 'active',
        ...over,
      });
    },
    drop: (labels) => void held.delete(canonicalLabels(labels)),
    silence(matchers, { by = 'mia', comment = 'draining', untilMs }) {
      const id = randomUUID();
      silences.set(id, {
        id,
        matchers: Object.entries(matchers).map(([name, value]) => ({ name, value, isRegex: false })),
        startsAt: new Date(clock.now()).toISOString(),
        endsAt: new Date(untilMs).toISOString(),
        createdBy: by,
        comment,
      });
      return id;
    },
    expire(id) {
      const silence = silences.get(id);
      if (silence !== undefined)
        silences.set(id, { ...silence, endsAt: new Date(clock.now()).toISOString() });
    },
    silences: () => [...silences.values()],
    restart() {
      held.clear();
      upForMs = 0;
    },
    setUpFor(ms) {
      upForMs = ms;
    },
    setCluster(status) {
      cluster = status;
    },
    fingerprint,
  };
}

function matches(silence: FakeSilence, labels: Labels): boolean {
  const matchers = silence.matchers.map(({ name, value, isRegex, isEqual }) => {
    const equal = isEqual !== false;
    const operator: MatchOperator = isRegex ? (equal ? '=~' : '!~') : equal ? '=' : '!=';
    return { name, value, operator };
  });
  return matchesAll(matchers, labels);
}

function json(value: unknown): Answer {
  return { status: 200, body: JSON.stringify(value) };
}
