/** What Slack sends, rightly signed: presses, forms and commands, with every part open to change. */

import { createHmac } from 'node:crypto';

export const SIGNING_SECRET = 'MARKER-slack-signing-secret-0123';
export const RESPONSE_URL = 'https://hooks.slack.com/actions/T0TEAM/1/abc';

/** The two headers of a body, as of `nowMs`. */
export function slackHeaders(
  body: string,
  nowMs: number,
  secret = SIGNING_SECRET,
): { 'x-slack-request-timestamp': string; 'x-slack-signature': string } {
  const time = String(Math.floor(nowMs / 1000));
  return {
    'x-slack-request-timestamp': time,
    'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`,
  };
}

/** The body of a press on a button (or, with `option`, in the menu); `over` replaces parts of the payload. */
export function pressBody(value: string, over: Readonly<Record<string, unknown>> = {}): string {
  const payload = {
    type: 'block_actions',
    api_app_id: 'A0APP',
    team: { id: 'T0TEAM', domain: 'acme' },
    user: { id: 'U0MIA', username: 'mia', name: 'mia', team_id: 'T0TEAM' },
    channel: { id: 'C0INCIDENTS' },
    message: { ts: '1795305061.000100' },
    trigger_id: '13345224609.738474920',
    response_url: RESPONSE_URL,
    actions: [{ type: 'button', action_id: 'inc.any', block_id: 'a.1', value, action_ts: '1795305070.1' }],
    ...over,
  };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

/** The body of the sent form for a note. */
export function noteBody(incidentId: number | string, text: string): string {
  const payload = {
    type: 'view_submission',
    api_app_id: 'A0APP',
    team: { id: 'T0TEAM' },
    user: { id: 'U0MIA', name: 'mia', team_id: 'T0TEAM' },
    view: {
      callback_id: 'inc.note',
      private_metadata: String(incidentId),
      state: { values: { note: { text: { type: 'plain_text_input', value: text } } } },
    },
  };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

/** The body of `/incident <text>`; `over` replaces or, when undefined, removes fields. */
export function commandBody(text: string, over: Readonly<Record<string, string | undefined>> = {}): string {
  const fields: Record<string, string | undefined> = {
    command: '/incident',
    text,
    api_app_id: 'A0APP',
    team_id: 'T0TEAM',
    channel_id: 'C0INCIDENTS',
    user_id: 'U0MIA',
    user_name: 'mia',
    response_url: RESPONSE_URL,
    trigger_id: '13345224609.738474920',
    ...over,
  };
  const given = Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return new URLSearchParams(given).toString();
}
