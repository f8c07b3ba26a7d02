/** The Slack apps whose calls are taken: one a signing secret, however many channels it posts to. */

import type { ReceiverConfig } from '../config/config.js';

export type SlackApp = {
  /** Secret. */
  readonly signingSecret: string;
  /** Any app when null. */
  readonly appId: string | null;
  /** Workspaces whose members may act; those of the calling workspace when empty. */
  readonly teams: readonly string[];
  /** As whom a form is opened. Secret. */
  readonly botToken: string;
  readonly apiUrl: string;
};

/** Reads them out of the receivers; the first receiver of a secret speaks for its app. */
export function slackAppsOf(receivers: readonly ReceiverConfig[]): SlackApp[] {
  const apps = new Map<string, SlackApp>();
  for (const receiver of receivers) {
    if (receiver.kind !== 'slack' || receiver.signingSecret === undefined) continue;
    const signingSecret = receiver.signingSecret.reveal();
    const known = apps.get(signingSecret);
    apps.set(signingSecret, {
      signingSecret,
      appId: known?.appId ?? receiver.appId ?? null,
      teams: [...(known?.teams ?? []), ...receiver.teams],
      botToken: known?.botToken ?? receiver.botToken.reveal(),
      apiUrl: known?.apiUrl ?? receiver.apiUrl,
    });
  }
  return [...apps.values()];
}
