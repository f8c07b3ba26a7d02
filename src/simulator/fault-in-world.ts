import type { InjectedFault } from './mechanisms.js';
import type { World } from './world.js';

type Range = readonly [number, number];

/**
 * A fault as this world has it: the severity falls between the ends that the world gives the mechanism, ramp and duration
 * are brought within its ranges. What the world says nothing of stays as it is.
 */
export function faultInWorld(world: World, fault: InjectedFault): InjectedFault {
  const ranges = world.faults[fault.mechanism];
  if (ranges === undefined) return fault;
  const { severity, ramp_s: ramp, duration_s: duration } = ranges;
  const rampMs = ramp === undefined ? fault.rampMs : within(ramp, fault.rampMs / 1000) * 1000;
  const lastsMs = (fault.endMs ?? Number.POSITIVE_INFINITY) - fault.atMs;
  const endMs = duration === undefined ? fault.endMs : fault.atMs + within(duration, lastsMs / 1000) * 1000;
  return {
    ...fault,
    rampMs,
    endMs,
    severity:
      severity === undefined ? fault.severity : severity[0] + (severity[1] - severity[0]) * fault.severity,
  };
}

const within = ([low, high]: Range, value: number) => Math.min(high, Math.max(low, value));
