/** Where and as whom a Slack receiver posts. */

export type SlackConfig = {
  readonly name: string;
  /** Secret. */
  readonly botToken: string;
  /** Channel id, or a name when the look-up after a lost answer may be done without. */
  readonly channel: string;
  /** `https://slack.com/api/`. */
  readonly apiUrl?: string | undefined;
  /** Person or group told of a new critical: `U…`, `S…`, `here`. */
  readonly mention?: string | undefined;
  readonly account?: string | undefined;
};
