/**
 * Deviations from the same hour of the day before: recorded, told to nobody. They need a day of recorded series, and
 * are silent until then.
 */

import { DAY, HOUR, MINUTE } from '../domain/clock.js';
import type { AlertDefinition, Past, SideCondition } from './alert-definition.js';

const WINDOW = 5 * MINUTE;
/** Half of the hour that is compared: shorter tells of every burst. */
const FOR = 15 * MINUTE;

const YESTERDAY = { agoMs: DAY, overMs: HOUR } as const;

/** Enough requests at that time to speak of traffic. */
const someTraffic = (past: Pick<Past, 'agoMs' | 'overMs'>): SideCondition => ({
  signal: 'request_rate',
  over: '>',
  threshold: 'request_rate.some',
  aggregate: 'sum',
  past: { ...past, as: 'value' },
});

/** Far above yesterday, and above what nobody would notice. */
function unusual(
  signal: string,
  times: string,
  noticed: string,
  aggregate: 'scope' | 'sum' = 'scope',
): AlertDefinition['condition'] {
  return {
    signal,
    over: '>',
    threshold: times,
    aggregate,
    past: { ...YESTERDAY, as: 'times' },
    and: { anyOf: [{ signal, over: '>', threshold: noticed, aggregate }] },
  };
}

export const DEVIATION_ALERTS: readonly AlertDefinition[] = [
  {
    name: 'LLMUnusualTTFT',
    severity: 'info',
    forMs: FOR,
    windowMs: WINDOW,
    condition: unusual('ttft_p99_seconds', 'ttft_p99_seconds.deviation', 'ttft_p99_seconds.noticed'),
    inhibitedBy: ['LLMElevatedTTFT', 'LLMHighTTFT'],
    title: 'First tokens are slower than yesterday',
    summary: 'TTFT p99 is {{ $value | printf "%.2f" }} s, unlike the same hour yesterday,',
  },
  {
    name: 'LLMUnusualTBT',
    severity: 'info',
    forMs: FOR,
    windowMs: WINDOW,
    condition: unusual('tbt_p99_seconds', 'tbt_p99_seconds.deviation', 'tbt_p99_seconds.noticed'),
    inhibitedBy: ['LLMElevatedTBT', 'LLMHighTBT'],
    title: 'Tokens come slower than yesterday',
    summary: 'TBT p99 is {{ $value | printf "%.3f" }} s, unlike the same hour yesterday,',
  },
  {
    name: 'LLMUnusualErrorRate',
    severity: 'info',
    forMs: FOR,
    windowMs: WINDOW,
    condition: unusual('error_ratio', 'error_ratio.deviation', 'error_ratio.visible'),
    inhibitedBy: ['LLMElevatedErrorRate', 'LLMHighErrorRate'],
    title: 'More requests fail than yesterday',
    summary: '{{ $value | humanizePercentage }} of requests fail, unlike the same hour yesterday,',
  },
  {
    name: 'LLMTrafficSurge',
    severity: 'info',
    forMs: FOR,
    windowMs: WINDOW,
    condition: unusual('request_rate', 'request_rate.surge', 'request_rate.some', 'sum'),
    title: 'More traffic than yesterday',
    summary: '{{ $value | printf "%.1f" }} requests a second, unlike the same hour yesterday,',
  },
  {
    name: 'LLMTrafficDrop',
    severity: 'info',
    forMs: FOR,
    windowMs: WINDOW,
    condition: {
      signal: 'request_rate',
      over: '<',
      threshold: 'request_rate.drop',
      aggregate: 'sum',
      past: { ...YESTERDAY, as: 'times' },
      and: { anyOf: [someTraffic(YESTERDAY)] },
    },
    inhibitedBy: ['LLMNoTraffic'],
    title: 'Less traffic than yesterday',
    summary: '{{ $value | printf "%.1f" }} requests a second, unlike the same hour yesterday,',
  },
  {
    name: 'LLMNoTraffic',
    severity: 'info',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'request_rate',
      over: '<',
      threshold: 'request_rate.none',
      aggregate: 'sum',
      and: { anyOf: [someTraffic({ agoMs: HOUR, overMs: 10 * MINUTE }), someTraffic(YESTERDAY)] },
    },
    title: 'No requests where there were some',
    summary: 'No requests arrive',
  },
];
