/** Stand-ins for PagerDuty and Slack inside the demo's own process: they accept, and tell what they got. Nothing leaves the machine. */

export type StandInEvents = {
  readonly paged: (summary: string) => void;
  readonly pageChanged: (action: string) => void;
  readonly card: (incident: string, posted: boolean) => void;
  readonly reply: (text: string) => void;
};

export const PAGER_HOST = 'pager.demo.invalid';
export const SLACK_HOST = 'slack.demo.invalid';

/** A `fetch` that knows only the two stand-ins and refuses every other address. */
export function standInFetch(events: StandInEvents): typeof globalThis.fetch {
  let messages = 0;
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.hostname === PAGER_HOST) {
      const event = (await request.json()) as {
        event_action: string;
        dedup_key: string;
        payload?: { summary: string };
      };
      if (event.event_action === 'trigger') events.paged(event.payload?.summary ?? '');
      else events.pageChanged(event.event_action);
      return Response.json(
        { status: 'success', message: 'Event processed', dedup_key: event.dedup_key },
        { status: 202 },
      );
    }
    if (url.hostname === SLACK_HOST) {
      const form = new URLSearchParams(await request.text());
      const method = url.pathname.split('/').at(-1);
      if (method === 'chat.postMessage' || method === 'chat.update') {
        const metadata = JSON.parse(form.get('metadata') ?? 'null') as {
          event_payload?: { id?: string };
        } | null;
        if (form.has('thread_ts')) events.reply(form.get('text') ?? '');
        else events.card(metadata?.event_payload?.id ?? '', method === 'chat.postMessage');
        messages++;
        return Response.json({
          ok: true,
          channel: form.get('channel'),
          ts: form.get('ts') ?? `1.${String(messages).padStart(6, '0')}`,
        });
      }
      return Response.json({ ok: true, messages: [] });
    }
    throw new TypeError(`the demo calls nobody: ${url.hostname}`);
  };
}
