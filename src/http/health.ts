/** The service about itself: alive, able to do its job, and its own metrics. */

import { type RequestHandler, Router } from 'express';

/** One thing the service needs. */
export type ReadinessCheck = { readonly name: string; readonly ok: boolean; readonly detail: string };
export type Readiness = { readonly ready: boolean; readonly checks: readonly ReadinessCheck[] };

export type HealthDeps = {
  /** Tells whether alerts can be committed now. Called for every request: keep it cheap. */
  readonly readiness: () => Promise<Readiness> | Readiness;
  /** Shown by /healthz: whoever watches the process should know that it tells nobody. */
  readonly mode?: 'live' | 'shadow';
  /** A prom-client registry. */
  readonly metrics: { readonly contentType: string; readonly metrics: () => Promise<string> };
};

/**
 * `/healthz`: the process answers, and whether it is live. `/readyz`: 200 when alerts can be committed, else 503; which check fails is
 * named, its details are for the log and the pages. `/metrics` is guarded by `auth`.
 */
export function createHealth(
  { readiness, metrics, mode = 'live' }: HealthDeps,
  auth: RequestHandler,
): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok', mode });
  });
  router.get('/readyz', async (_request, response) => {
    const { ready, checks } = await readiness();
    response
      .status(ready ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({
        status: ready ? 'ready' : 'not_ready',
        checks: checks.map(({ name, ok }) => ({ name, ok })),
      });
  });
  router.get('/metrics', auth, async (_request, response) => {
    response
      .set('Content-Type', metrics.contentType)
      .set('Cache-Control', 'no-store')
      .send(await metrics.metrics());
  });
  return router;
}
