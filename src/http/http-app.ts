/** All that is served: the order of everything in one view. */

import type { RequestListener } from 'node:http';
import express, { type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from '../log/logger.js';
import { type ApiToken, createAuth } from './auth.js';
import { createErrorHandler, notFound } from './error-handler.js';
import { createHealth, type HealthDeps } from './health.js';
import { createIncidentsApi, type IncidentsApiDeps } from './incidents-api.js';
import { createPages, createPublicFiles, type PagesDeps } from './pages.js';
import { createSameOrigin } from './same-origin.js';
import { createServingHealthApi } from './serving-health-api.js';
import { webhookFirst } from './webhook-first.js';

export type HttpAppDeps = {
  /** Answers /api/v1/alertmanager; it does its own authentication. */
  readonly webhook: RequestListener;
  /** Routers of signed calls, of Slack and PagerDuty; each does its own authentication. */
  readonly callbacks: readonly RequestHandler[];
  readonly incidents: IncidentsApiDeps;
  readonly pages: Omit<PagesDeps, 'reads' | 'actions'>;
  readonly health: HealthDeps;
  readonly apiTokens: readonly ApiToken[];
  readonly publicUrl: string | null;
  readonly logger: Logger;
};

/** Builds the application; nothing listens yet. */
export function createHttpApp(deps: HttpAppDeps): RequestListener {
  const { incidents, pages, publicUrl } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');

  for (const callback of deps.callbacks) app.use(callback);
  app.use(securityHeaders());

  const auth = createAuth({ tokens: deps.apiTokens, publicUrl });
  const sameOrigin = createSameOrigin(publicUrl);
  app.use(createHealth(deps.health, auth));
  app.use(createPublicFiles(pages.render.stylesheet));
  app.use('/api/v1/serving-health', auth, createServingHealthApi(pages.servingHealth));
  app.use('/api/v1/incidents', auth, sameOrigin, createIncidentsApi(incidents));
  // An unknown API address, or one that is not configured, is a JSON 404 for everybody, never a page.
  app.use(['/api', '/slack'], notFound);
  app.use(auth, sameOrigin, createPages({ ...pages, reads: incidents.reads, actions: incidents.actions }));

  app.use(notFound);
  app.use(createErrorHandler({ logger: deps.logger, errorPage: pages.render.errorPage }));
  // First and outside everything else: no page, token or origin rule may ever cost an alert.
  return webhookFirst(deps.webhook, app);
}

/** Pages run no script at all, so a label that slipped through as markup could still do nothing. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Not `no-referrer`: browsers then send `Origin: null` with our own forms, too.
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  });
}
