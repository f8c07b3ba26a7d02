/** Whom the service of a story tells: pagers, Slack and whoever waits for its ping, without a network between. */

export const EVENTS_URL = 'http://pager.test/v2/enqueue';
export const SLACK_URL = 'http://slack.test/api';
export const PING_URL = 'http://dead-man.test/ping';
export const KEYS = {
  oncall: 'a'.repeat(32),
  infra: 'b'.repeat(32),
  storm: 'c'.repeat(32),
  ceiling: 'd'.repeat(32),
} as const;
export type PagerName = keyof typeof KEYS;

export type StoryPage = {
  readonly key: string;
  /** The pager was told of this in words. */
  readonly names: (text: string) => boolean;
  readonly hasVerdict: boolean;
  readonly isSecond: boolean;
  /** Numbers of the incidents that it names, umbrellas apart. */
  readonly ids: readonly number[];
};

type Event = {
  readonly atMs: number;
  readonly to: string;
  readonly action: string;
  readonly key: string;
  readonly body: string;
};

export type StoryWorld = ReturnType<typeof createStoryWorld>;

/** `elapsed`: since the story began, ms. */
export function createStoryWorld(elapsed: () => number) {
  const events: Event[] = [];
  const slackCalls: { readonly method: string; readonly text: string }[] = [];
  const pings: number[] = [];
  let refusing: readonly string[] = [];

  const isDark = (name: string) => refusing.includes(name) || refusing.includes('everybody');
  const json = (status: number, body: object) =>
    new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

  function page(body: string): Response {
    const event = JSON.parse(body) as { routing_key: string; event_action: string; dedup_key: string };
    const to = Object.entries(KEYS).find(([, key]) => key === event.routing_key)?.[0] ?? 'nobody';
    if (isDark(to)) return json(500, { status: 'down' });
    events.push({ atMs: elapsed(), to, action: event.event_action, key: event.dedup_key, body });
    return json(202, { status: 'success', message: 'Event processed', dedup_key: event.dedup_key });
  }

  function slack(method: string, body: string): Response {
    if (isDark('slack')) return json(500, {});
    slackCalls.push({ method, text: decodeURIComponent(body.replaceAll('+', ' ')) });
    const ts = `1700000000.${String(slackCalls.length).padStart(6, '0')}`;
    return json(200, { ok: true, channel: 'C0STORY', ts, messages: [], has_more: false });
  }

  return {
    fetch: (async (input, init) => {
      const url = String(input);
      const body = typeof init?.body === 'string' ? init.body : '';
      if (url === EVENTS_URL) return page(body);
      if (url.startsWith(SLACK_URL)) return slack(url.slice(SLACK_URL.length + 1), body);
      if (url === PING_URL) {
        pings.push(elapsed());
        return new Response('ok');
      }
      throw new TypeError(`nobody is at ${url}`);
    }) as typeof globalThis.fetch,
    /** Who answers 500 from now on: pagers, `slack`, `everybody`. */
    refuse(names: readonly string[]): void {
      refusing = names;
    },
    pings: () => pings,
    pages(to: PagerName): StoryPage[] {
      return events
        .filter((one) => one.to === to && one.action === 'trigger')
        .map(({ key, body }) => {
          const details = JSON.parse(body).payload?.custom_details ?? {};
          const ids = idsIn(details);
          return {
            key,
            names: (text) => body.includes(text),
            hasVerdict: /confidence/.test(String(details.verdict ?? '')),
            isSecond: body.includes('2nd page'),
            ids,
          };
        });
    },
    /** How many acknowledges or resolves a pager accepted. */
    sent: (to: PagerName, action: 'acknowledge' | 'resolve') =>
      events.filter((one) => one.to === to && one.action === action).length,
    /** How often a pager was woken: a key counts once. */
    woken: (to: PagerName) =>
      new Set(events.filter((one) => one.to === to && one.action === 'trigger').map((one) => one.key)).size,
    /** How many calls of a method hold a text. */
    said: (method: string, text: string) =>
      slackCalls.filter((one) => one.method === method && one.text.includes(text)).length,
    /** The incident by which the auditor woke somebody; null while it did not. */
    raised(): number | null {
      const page = events.find((one) => one.action === 'trigger' && one.body.includes('WakewellLate'));
      return page === undefined ? null : Number(/INC-(\d+)/.exec(page.body)?.[1]);
    },
  };
}

/** The problems that a page names: those listed by an umbrella, or its own. */
function idsIn(details: Readonly<Record<string, string>>): number[] {
  const { incident, ...rest } = details;
  const text = Object.entries(rest)
    .filter(([name]) => / \(\d+\)( |$)/.test(name))
    .map(([, value]) => value)
    .join(', ');
  const ids = new Set<number>();
  for (const [, first, last] of (text === '' ? String(incident) : text).matchAll(
    /INC-(\d+)(?: to INC-(\d+))?/g,
  )) {
    for (let id = Number(first); id <= Number(last ?? first); id += 1) ids.add(id);
  }
  return [...ids];
}
