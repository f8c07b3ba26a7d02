/** GET /api/v1/serving-health: readable by a machine that acts on it, and by a person. */

import { Router } from 'express';
import type { HealthTransition } from '../domain/serving-health.js';
import type { HealthWatch } from '../health/watch-health.js';

export type ServingHealthReads = Pick<HealthWatch, 'now' | 'transitions'>;

/** Mounted at /api/v1/serving-health, behind authentication. */
export function createServingHealthApi({ now, transitions }: ServingHealthReads): Router {
  const router = Router();
  router.get('/', async (_request, response) => {
    const [health, changes] = await Promise.all([now(), transitions()]);
    response.set('Cache-Control', 'no-store').json({
      at: new Date(health.atMs).toISOString(),
      overall: health.overall,
      blind: health.blind,
      scopes: health.reports.map(({ scope, overall, checks }) => ({ scope, overall, checks })),
      transitions: changes.map(transitionJson),
    });
  });
  return router;
}

function transitionJson({ scope, atMs, from, to, says }: HealthTransition) {
  return { at: new Date(atMs).toISOString(), scope, from, to, says };
}
