/** The last resort and the demo's first: the headline and the card as text in the service's own log. */

import type { DeliveryResult, Purpose } from '../domain/notification.js';
import { bareText } from '../render/bare-message.js';
import { headline } from '../render/headline.js';
import { renderPlainText } from '../render/plain-text.js';
import type { BareDelivery, Delivery, Receiver, ReceiverDeps } from './receiver.js';

/** Writes one log line an event; a critical one at error level, so that whoever watches the log sees it. Always succeeds. */
export function createLogReceiver(
  config: { readonly name: string },
  deps: Pick<ReceiverDeps, 'publicUrl' | 'slo' | 'logger'>,
): Receiver {
  const options = { publicUrl: deps.publicUrl, ...(deps.slo === undefined ? {} : { slo: deps.slo }) };

  async function deliver({ notification, view }: Delivery): Promise<DeliveryResult> {
    if (IS_TOLD_ANYWAY.has(notification.purpose)) return TOLD_ANYWAY;
    const fields = {
      receiver: config.name,
      purpose: notification.purpose,
      incidentId: view.incident.id,
      headline: headline(view, options),
      card: renderPlainText(view, options),
    };
    const loud = view.incident.severity === 'critical' && view.incident.state === 'open';
    if (loud) deps.logger.error(fields, 'incident');
    else deps.logger.info(fields, 'incident');
    return { kind: 'sent', ref: null };
  }

  async function deliverBare({ purpose, facts }: BareDelivery): Promise<DeliveryResult> {
    if (IS_TOLD_ANYWAY.has(purpose)) return TOLD_ANYWAY;
    const fields = {
      receiver: config.name,
      purpose,
      incidentId: facts.incidentId,
      headline: bareText(facts),
    };
    if (facts.severity === 'critical' && facts.state === 'open') deps.logger.error(fields, 'incident');
    else deps.logger.info(fields, 'incident');
    return { kind: 'sent', ref: null };
  }

  return { name: config.name, kind: 'log', deliver, deliverBare };
}

/** On a ladder a log takes pages; what follows them it is told as an entry of its own. */
const IS_TOLD_ANYWAY: ReadonlySet<Purpose> = new Set([
  'page_update',
  'page_again',
  'page_acknowledge',
  'page_resolve',
]);
const TOLD_ANYWAY: DeliveryResult = { kind: 'unchanged', reason: 'the log shows the page already' };
