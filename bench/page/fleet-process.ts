/** The simulated fleet in a process of its own, so that it shares no event loop with what is measured. Forked by bench/page.ts. */

import { startExporterServer } from '../../src/simulator/exporter-server.js';
import { createFleet } from '../../src/simulator/fleet.js';
import { createFleetRunner } from '../../src/simulator/fleet-runner.js';
import { DEFAULT_SERVING } from '../../src/simulator/serving-config.js';
import { realClock } from '../torture/real-clock.js';

/** Scenarios are written for this many workers. */
const SCENARIO_WORKERS = 8;

const workers = Number(process.argv[2]);
// The scenario's traffic is spread over more workers, so each one is made smaller by as much.
const share = SCENARIO_WORKERS / workers;
const fleet = createFleet({
  seed: 7,
  workers,
  worker: {
    blocks: Math.round(DEFAULT_SERVING.blocks * share),
    maxBatch: Math.round(DEFAULT_SERVING.maxBatch * share),
    watermarkBlocks: Math.round(DEFAULT_SERVING.watermarkBlocks * share),
  },
});
fleet.setScenario('kv-exhaustion');
fleet.advance(60_000);
createFleetRunner({ fleet, clock: realClock, tickMs: 250 }).start();
const exporter = await startExporterServer({ fleet, port: 0, dialect: 'vllm' });
process.send?.({ targets: exporter.targets, place: fleet.place });
process.once('disconnect', () => process.exit(0));
