/** Makes the configured receivers, by name and in the order in which they are written (the order of the ladder). */

import type { ReceiverConfig } from '../config/config.js';
import { slackButtons } from '../render/slack-buttons.js';
import { createLogReceiver } from './log.js';
import { createPagerDutyReceiver } from './pagerduty.js';
import type { Receiver, ReceiverDeps } from './receiver.js';
import { createShadowReceiver } from './shadow.js';
import { createSlackReceiver } from './slack.js';
import { createWebhookReceiver } from './webhook.js';

export type ReceiversDeps = ReceiverDeps & {
  /** Source of the alerts that people can silence from a card; null = none. */
  readonly silenceSource: string | null;
  /** Nothing is to leave the process. */
  readonly shadow?: boolean;
};

/** One receiver a configuration entry. Nothing is contacted yet. */
export function createReceivers(
  configs: readonly ReceiverConfig[],
  deps: ReceiversDeps,
): ReadonlyMap<string, Receiver> {
  return new Map(
    configs.map((config) => {
      // What the provider counts by: the first receiver with the same one gives it its name.
      const account = configs.find((other) => accountOf(other) === accountOf(config))?.name ?? config.name;
      const receiver = createReceiver(config, account, deps);
      return [config.name, deps.shadow === true ? createShadowReceiver(receiver, deps) : receiver];
    }),
  );
}

function accountOf(config: ReceiverConfig): string {
  switch (config.kind) {
    case 'pagerduty':
      return JSON.stringify([config.eventsUrl, config.routingKey.reveal()]);
    case 'slack':
      return JSON.stringify([config.apiUrl, config.botToken.reveal(), config.channel]);
    case 'webhook':
    case 'log':
      return config.name;
  }
}

function createReceiver(config: ReceiverConfig, account: string, deps: ReceiversDeps): Receiver {
  switch (config.kind) {
    case 'pagerduty':
      return createPagerDutyReceiver({ ...config, account, routingKey: config.routingKey.reveal() }, deps);
    case 'slack':
      return createSlackReceiver(
        { ...config, account, botToken: config.botToken.reveal() },
        // A button that nobody hears is worse than none.
        config.signingSecret === undefined ? deps : { ...deps, actions: (view) => slackButtons(view, deps) },
      );
    case 'webhook':
      return createWebhookReceiver(
        { name: config.name, url: config.url.reveal(), secret: config.secret?.reveal() },
        deps,
      );
    case 'log':
      return createLogReceiver(config, deps);
  }
}
