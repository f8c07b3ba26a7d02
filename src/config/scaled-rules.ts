/** The rules whose windows the time scale shortens, as they apply. */

import type { Config } from './config.js';

export type ScaledRules = Pick<Config, 'flapping' | 'storm' | 'pageCeilings'>;

export function scaledRules({ flapping, storm, pageCeilings, timeScale }: Config): ScaledRules {
  return {
    flapping: {
      cycles: flapping.cycles,
      withinMs: flapping.withinMs / timeScale,
      quietMs: flapping.quietMs / timeScale,
    },
    storm: {
      incidents: storm.incidents,
      withinMs: storm.withinMs / timeScale,
      quietMs: storm.quietMs / timeScale,
      cardEveryMs: storm.cardEveryMs / timeScale,
      pageEveryMs: storm.pageEveryMs / timeScale,
    },
    pageCeilings: pageCeilings.map(({ pages, withinMs }) => ({ pages, withinMs: withinMs / timeScale })),
  };
}
