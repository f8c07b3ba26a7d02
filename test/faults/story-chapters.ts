/** What happens in each chapter of a story, and what must have been heard by when, in seconds since it began. */

import type { Labels } from '../../src/domain/labels.js';
import type { StoryWorld } from './story-world.js';

/**
 * day: everything works, and much happens. night: a pager fails, then everybody does. watched: little happens, and
 * only those look who are there in production as well, the auditor and whoever waits for the ping.
 */
export type Chapter = 'day' | 'night' | 'watched';

export type Listed = {
  readonly id: number | string;
  readonly state: string;
  readonly flags: { readonly silenced: boolean };
};
export type Holds = () => boolean | Promise<boolean>;

export type Teller = {
  readonly world: StoryWorld;
  /** Does something at a time. */
  readonly at: (seconds: number, act: () => Promise<unknown>) => void;
  /** Something must hold by a time. */
  readonly heard: (bySeconds: number, says: string, holds: Holds) => void;
  readonly fire: (...alerts: Labels[]) => Promise<void>;
  readonly resolve: (...alerts: Labels[]) => Promise<void>;
  readonly get: (path: string) => Promise<string>;
  /** Every incident. */
  readonly open: () => Promise<readonly Listed[]>;
  /** What is open and says one of these. */
  readonly acknowledge: (...texts: readonly string[]) => Promise<void>;
  /** A silence of a model, at Alertmanager. */
  readonly silence: (model: string) => void;
};

/** From here on everybody refuses in the night: the audit must fail, and the dead-man ping end. */
export const DARK_SECONDS = 60;

/** How long each lasts, and its script. Holds and intervals are shorter than shipped, so that minutes are enough. */
export const CHAPTERS: Readonly<
  Record<Chapter, { readonly seconds: number; readonly tell: (teller: Teller) => void }>
> = {
  day: { seconds: 216, tell: day },
  night: { seconds: 260, tell: night },
  watched: { seconds: 600, tell: watched },
};

const problem = (model: string): Record<string, string> => ({
  alertname: 'LLMHighTTFT',
  severity: 'critical',
  cluster: 'prod',
  namespace: 'serving',
  model,
});

function day({ at, heard, fire, resolve, get, open, acknowledge, silence, world }: Teller): void {
  const { pages, said } = world;
  for (let beat = 0; beat <= 6; beat += 1) at(beat * 20 + 1, () => fire({ alertname: 'Watchdog' }));
  heard(185, 'the absence of the Watchdog', () => pages('oncall').some((one) => one.names('Watchdog')));

  at(5, () => fire(problem('m-acked')));
  heard(8, 'a page as soon as it is diagnosed', () => pages('oncall').some((one) => one.names('m-acked')));
  heard(9, 'a page that carries a verdict', () => pages('oncall').some((one) => one.hasVerdict));
  heard(12, 'a card', () => said('chat.postMessage', 'm-acked') > 0);
  heard(20, 'the frozen signals', async () => (await get('/api/v1/incidents/1/series')).includes('kv_cache'));
  at(25, () => acknowledge('m-acked'));
  heard(32, 'an acknowledgement at the pager', () => world.sent('oncall', 'acknowledge') === 1);
  heard(40, 'a card that says who has it', () => said('chat.update', 'ACKED by') > 0);
  at(60, () => resolve(problem('m-acked')));
  heard(70, 'a card that says it is over', () => said('chat.update', 'RESOLVED') > 0);
  heard(95, 'a resolve at the pager after its hold', () => world.sent('oncall', 'resolve') === 1);
  heard(96, 'a second diagnosis after the resolve', async () =>
    (await get('/api/v1/incidents/1/diagnoses')).includes('"resolved"'),
  );

  at(10, () => fire({ ...problem('m-ignored'), alertname: 'StoryAlert' }));
  heard(55, 'an escalation', () => pages('infra').some((one) => one.names('m-ignored')));
  heard(115, 'a second page, since nobody took the first', () =>
    pages('oncall').some((one) => one.isSecond && one.names('m-ignored')),
  );
  at(15, () => fire({ ...problem('m-warned'), severity: 'warning' }));
  heard(120, 'a reminder below the card of a warning', () => said('chat.postMessage', 'thread_ts') > 0);
  at(20, () => fire({ ...problem('m-silenced'), severity: 'warning' }));
  at(22, async () => silence('m-silenced'));
  heard(135, 'a silence of Alertmanager', async () => (await open()).some((one) => one.flags.silenced));

  const storm = (n: number) => ({ ...problem(`m-${n}`), cluster: 'stormy', alertname: `Down${n}` });
  at(70, () => fire(...Array.from({ length: 8 }, (_, n) => storm(n))));
  heard(76, 'one page for a storm', () => pages('storm').some((one) => one.ids.length === 8));
  heard(77, 'one card for a storm', () => said('chat.postMessage', 'incidents stormy') === 1);
  at(80, () => fire(storm(8), storm(9)));
  heard(112, 'who joined a storm', () => pages('storm').some((one) => one.ids.length === 10));
  heard(113, 'only one page for a storm', () => world.woken('storm') === 1);
  heard(114, 'only one card for a storm', () => said('chat.postMessage', 'text=CRIT Down') === 0);
  at(115, () => acknowledge('stormy'));

  for (let n = 1; n <= 5; n += 1) at(139 + n, () => fire({ ...problem(`m-${n}`), cluster: `busy-${n}` }));
  at(150, () => acknowledge('busy-1', 'busy-2'));
  heard(
    180,
    'who is beyond a page ceiling',
    () => new Set(pages('ceiling').flatMap(({ ids }) => ids)).size === 5,
  );
  heard(181, 'three pages and no more under a page ceiling', () => world.woken('ceiling') === 3);
  heard(215, 'a page as soon as a ceiling has room', () => world.woken('ceiling') === 4);
}

function night({ at, heard, fire, world }: Teller): void {
  const { pages } = world;
  at(5, async () => world.refuse(['oncall']));
  at(6, () => fire(problem('m-refused')));
  heard(48, 'a page passed on to the next of the ladder', () =>
    pages('infra').some((one) => one.names('m-refused')),
  );
  at(48, async () => world.refuse([]));
  heard(58, 'a page tried again', () => pages('oncall').some((one) => one.names('m-refused')));

  at(DARK_SECONDS, async () => world.refuse(['everybody']));
  at(DARK_SECONDS + 1, () => fire(problem('m-dark')));
  heard(260, 'no dead-man ping while a page is late', () => world.pings().every((atMs) => atMs < 220_000));
}

function watched({ at, fire, resolve }: Teller): void {
  at(5, () => fire(problem('m-over')));
  at(10, () => fire(problem('m-open')));
  at(60, () => resolve(problem('m-over')));
}
