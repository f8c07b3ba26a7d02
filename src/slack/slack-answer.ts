/** What a call of Slack's is answered, whichever way it came. */

export type SlackAnswer = {
  /** HTTP status; Slack shows the person a warning for any but 200. */
  readonly status: 200 | 400 | 401 | 403 | 503;
  /** JSON; null = an empty body. */
  readonly body: object | null;
  /** Why it was refused, for the log. */
  readonly refused?: string;
  /** What is left to do once the answer is on its way. Never rejects. */
  readonly after?: () => Promise<void>;
};

/** A message that only the person sees. */
export function ephemeral(text: string, blocks?: readonly object[]): object {
  return {
    response_type: 'ephemeral',
    replace_original: false,
    text,
    ...(blocks === undefined ? {} : { blocks }),
  };
}

export const EMPTY: SlackAnswer = { status: 200, body: null };

export function refuse(status: 400 | 401 | 403, why: string): SlackAnswer {
  return { status, body: { error: why }, refused: why };
}
