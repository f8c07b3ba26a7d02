/**
 * The receiver of shadow mode: everything is decided and drawn as it would be sent, and nothing leaves the
 * process. It stands in the place of every receiver, whatever its kind, and has nothing to make a call with.
 */

import type { DeliveryResult } from '../domain/notification.js';
import { bareText } from '../render/bare-message.js';
import { headline } from '../render/headline.js';
import type { Receiver, ReceiverDeps } from './receiver.js';

/** Takes everything at once, and says in the log what would have gone where. */
export function createShadowReceiver(
  real: Pick<Receiver, 'name' | 'kind' | 'account' | 'budget' | 'ladder'>,
  deps: Pick<ReceiverDeps, 'slo' | 'logger'>,
): Receiver {
  const { name, kind, account, budget, ladder } = real;
  const options = deps.slo === undefined ? {} : { slo: deps.slo };

  function shadowed(fields: {
    readonly purpose: string;
    readonly incidentId: number | null;
    readonly headline: string;
  }): DeliveryResult {
    deps.logger.info({ receiver: name, ...fields }, 'shadow mode: not sent');
    return { kind: 'sent', ref: null, shadow: true };
  }

  return {
    name,
    kind,
    ...(account === undefined ? {} : { account }),
    ...(budget === undefined ? {} : { budget }),
    ...(ladder === undefined ? {} : { ladder }),
    shadow: true,
    deliver: async ({ notification, view }) =>
      shadowed({
        purpose: notification.purpose,
        incidentId: notification.incidentId,
        headline: headline(view, options),
      }),
    deliverBare: async ({ purpose, facts }) =>
      shadowed({ purpose, incidentId: facts.incidentId, headline: bareText(facts) }),
  };
}

/** A `fetch` for everything else that could call out: it fails before anything is looked up. */
export const fetchNothing: typeof globalThis.fetch = () =>
  Promise.reject(new Error('shadow mode: no call leaves this process'));
