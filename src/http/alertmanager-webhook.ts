/**
 * `POST /api/v1/alertmanager` (Grafana may PUT). The status is protocol, not taste: Alertmanager retries 5xx
 * within seconds, but drops what is answered 4xx until its next group_interval, and for good if the alert
 * resolved meanwhile; and it turns a redirected POST into a GET. So an authenticated body is answered
 *
 *   200  it is committed to disk, readable or not
 *   503  it could not be committed, or the service is stopping
 *   413  it is larger than the limit
 *
 * and nothing else. 401 is for a wrong or missing credential, 405 for another method.
 */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type ParsedWebhook, parseWebhook } from '../alertmanager/payload.js';
import { readBody } from '../alertmanager/read-body.js';
import { createSourceOf, type WebhookToken } from '../alertmanager/webhook-tokens.js';
import type { AlertGroup } from '../domain/alert.js';
import { AppError } from '../domain/errors.js';
import { publicId } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import type { Intake } from '../incidents/receive-group.js';
import type { Logger } from '../log/logger.js';

const DEFAULT_MAX_BODY_BYTES = 32 * 1024 * 1024;

export type WebhookMetrics = {
  /** One answer; `status` is one of 200, 401, 405, 413, 503. */
  readonly answered: (status: number) => void;
};

export type WebhookDeps = {
  readonly intake: Pick<Intake, 'receive'>;
  /** Empty means that everybody may send; only for a service bound to loopback. */
  readonly tokens: readonly WebhookToken[];
  /** Limit of a body as sent, and again of what it decodes to. 32 MiB when absent. */
  readonly maxBodyBytes?: number;
  readonly scopeLabels: readonly string[];
  readonly severityMapping: Readonly<Record<string, Severity>>;
  /** Called before the 503 when a group with a firing critical could not be committed: page without the database. */
  readonly breakGlass?: (group: AlertGroup) => Promise<void>;
  readonly logger: Logger;
  readonly metrics?: WebhookMetrics;
};

/** Answers every call to the webhook's address, whatever its method. `webhook-first.ts` brings them here. */
export function createAlertmanagerWebhook(deps: WebhookDeps): RequestListener {
  const { intake, logger } = deps;
  const maxBodyBytes = deps.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  const sourceOf = createSourceOf(deps.tokens);

  function answer(response: ServerResponse, status: number, body: object): void {
    deps.metrics?.answered(status);
    response.statusCode = status;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify(body)}\n`);
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const source = sourceOf(request);
    if (source === null) {
      logger.warn(
        { remote: request.socket.remoteAddress },
        'webhook call with a wrong or missing credential',
      );
      response.setHeader('www-authenticate', 'Bearer');
      answer(response, 401, {
        error: 'a valid Bearer token, or Basic with the token as password, is needed',
      });
      return;
    }
    const body = await readBody(request, maxBodyBytes);
    switch (body.kind) {
      case 'aborted':
        return;
      case 'too_large':
        await refuseTooLarge(source, response);
        return;
      case 'undecodable':
        await commit(source, body.bytes, { kind: 'unreadable', reason: body.reason }, response);
        return;
      case 'body': {
        const { scopeLabels, severityMapping } = deps;
        const parsed = parseWebhook(body.bytes, { source, scopeLabels, severityMapping });
        await commit(source, body.bytes, parsed, response);
      }
    }
  }

  async function commit(
    source: string,
    body: Uint8Array,
    parsed: ParsedWebhook,
    response: ServerResponse,
  ): Promise<void> {
    try {
      const outcome = await intake.receive({ source, body, parsed });
      answer(response, 200, {
        receipt: outcome.receiptId,
        incidents: outcome.incidentIds.slice(0, 20).map(publicId),
      });
    } catch (error) {
      logger.error({ err: error, source }, 'webhook call not committed');
      // While stopping the next process takes it within seconds; a broken database may stay broken.
      if (parsed.kind === 'group' && !(error instanceof AppError)) await breakTheGlass(parsed.group);
      answer(response, 503, { error: 'not committed, please send it again' });
    }
  }

  async function breakTheGlass(group: AlertGroup): Promise<void> {
    const isUrgent = group.alerts.some((alert) => alert.status === 'firing' && alert.severity === 'critical');
    if (!isUrgent || deps.breakGlass === undefined) return;
    try {
      await deps.breakGlass(group);
    } catch (error) {
      logger.error(
        { err: error, source: group.source },
        'a critical could neither be committed nor paged directly',
      );
    }
  }

  /** The sender will not bring these alerts in another form, so somebody has to know. */
  async function refuseTooLarge(source: string, response: ServerResponse): Promise<void> {
    const reason = `a body larger than ${maxBodyBytes} bytes was refused with 413: set max_alerts at the sender`;
    logger.error({ source, maxBodyBytes }, 'webhook body too large');
    await intake
      .receive({ source, body: new Uint8Array(), parsed: { kind: 'unreadable', reason } })
      .catch((error: unknown) =>
        logger.error({ err: error }, 'the refusal of a large body could not be recorded'),
      );
    response.setHeader('connection', 'close');
    answer(response, 413, { error: reason });
  }

  return (request, response) => {
    if (request.method !== 'POST' && request.method !== 'PUT') {
      response.setHeader('allow', 'POST, PUT');
      answer(response, 405, { error: 'alerts are sent by POST or PUT' });
      return;
    }
    receive(request, response).catch((error: unknown) => {
      // A fault of ours: the sender tries again, and nothing was said to be committed.
      logger.error({ err: error }, 'webhook call failed');
      if (response.headersSent) response.destroy();
      else answer(response, 503, { error: 'not committed, please send it again' });
    });
  };
}
