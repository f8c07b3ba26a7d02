/**
 * POST /slack/interactions, /slack/commands, /slack/events: Slack's calls over HTTP. The order is fixed: the bytes
 * within their bound, then the signature, and only then is anything of them read. Without a signing secret there
 * are no such addresses, and cards have no buttons.
 */

import { type Request, type RequestHandler, type Response, Router } from 'express';
import { readBody } from '../alertmanager/read-body.js';
import { handleCommand } from './handle-command.js';
import { handleEvent } from './handle-event.js';
import { handleInteraction, type SlackCall } from './handle-interaction.js';
import { readInteraction } from './read-interaction.js';
import type { SlackAnswer } from './slack-answer.js';
import type { SlackApp } from './slack-apps.js';
import type { SlackDeps } from './slack-deps.js';
import { verifySlackRequest } from './verify-request.js';

/** What Slack sends is a few KiB. */
const MAX_BODY_BYTES = 256 * 1024;

type Handle = (call: SlackCall, body: string) => SlackAnswer | Promise<SlackAnswer>;

/** The routes; mount them before anything that parses bodies. An empty `apps` has none. */
export function createSlackCallbacks(deps: SlackDeps, apps: readonly SlackApp[]): Router {
  const router = Router();
  if (apps.length === 0) return router;
  router.post(
    '/slack/interactions',
    receive((call, body) => handleInteraction(deps, call, readInteraction(body))),
  );
  router.post(
    '/slack/commands',
    receive((call, body) => handleCommand(deps, call, body)),
  );
  router.post(
    '/slack/events',
    receive((_call, body) => handleEvent(body)),
  );
  return router;

  function receive(handle: Handle): RequestHandler {
    return async (request: Request, response: Response) => {
      response.once('finish', () => deps.answered?.(response.statusCode));
      const read = await readBody(request, MAX_BODY_BYTES);
      switch (read.kind) {
        case 'aborted':
          return;
        case 'too_large':
          response.set('Connection', 'close').status(413).end();
          return;
        case 'undecodable':
          response.status(400).end();
          return;
        case 'body':
          await take(request, read.bytes, handle, response);
      }
    };
  }

  async function take(request: Request, body: Buffer, handle: Handle, response: Response): Promise<void> {
    const { rawHeaders, path } = request;
    const check = verifySlackRequest({ rawHeaders, body }, apps, deps.clock.now());
    if (check.kind === 'refused') {
      deps.logger.warn({ why: check.why, path }, 'a call to a Slack address was refused');
      response.status(401).json({ error: check.why });
      return;
    }
    const { app, signature } = check;
    const answer = await handle({ app, signature }, body.toString('utf8'));
    if (answer.refused !== undefined) {
      deps.logger.warn({ why: answer.refused, path }, 'a signed call of Slack was refused');
    }
    response.status(answer.status);
    if (answer.body === null) response.end();
    else response.json(answer.body);
    await answer.after?.();
  }
}
