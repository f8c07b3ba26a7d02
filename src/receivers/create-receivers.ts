/** Makes the configured receivers, by name and in the order in which they are written (the order of the ladder). */

import type { ReceiverConfig } from '../config/config.js';
import { createLogReceiver } from './log.js';
import { createPagerDutyReceiver } from './pagerduty.js';
import type { Receiver } from './receiver.js';
import { createSlackReceiver, type SlackReceiverDeps } from './slack.js';
import { createWebhookReceiver } from './webhook.js';

/** One receiver a configuration entry. Nothing is contacted yet. */
export function createReceivers(
  configs: readonly ReceiverConfig[],
  deps: SlackReceiverDeps,
): ReadonlyMap<string, Receiver> {
  return new Map(configs.map((config) => [config.name, createReceiver(config, deps)]));
}

function createReceiver(config: ReceiverConfig, deps: SlackReceiverDeps): Receiver {
  switch (config.kind) {
    case 'pagerduty':
      return createPagerDutyReceiver({ ...config, routingKey: config.routingKey.reveal() }, deps);
    case 'slack':
      return createSlackReceiver({ ...config, botToken: config.botToken.reveal() }, deps);
    case 'webhook':
      return createWebhookReceiver(
        { name: config.name, url: config.url.reveal(), secret: config.secret?.reveal() },
        deps,
      );
    case 'log':
      return createLogReceiver(config, deps);
  }
}
