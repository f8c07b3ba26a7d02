/** What can happen to the service, in any order. */

import fc from 'fast-check';
import { SECOND } from '../../src/domain/clock.js';

/** `lost`: Alertmanager's webhook never arrives, so that only asking it can tell. */
export type Step =
  | { readonly kind: 'fire'; readonly n: number; readonly critical: boolean; readonly lost: boolean }
  | { readonly kind: 'resolve'; readonly n: number; readonly lost: boolean }
  /** Sent again as it stands; by an HA peer with a `startsAt` of its own. */
  | { readonly kind: 'repeat'; readonly n: number; readonly peer: boolean }
  /** A delivery that was under way for long: it says what was so before. */
  | { readonly kind: 'late'; readonly n: number }
  | { readonly kind: 'acknowledge'; readonly n: number }
  | { readonly kind: 'silence'; readonly n: number }
  | { readonly kind: 'unsilence'; readonly n: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'jump'; readonly ms: number }
  | { readonly kind: 'fault'; readonly how: Fault }
  | { readonly kind: 'heal' }
  | { readonly kind: 'pass'; readonly ms: number };

/** How the pager fails: nothing arrives, it says no, or it took the event and its answer was lost. */
export type Fault = 'unreachable' | 'throttled' | 'answer_lost';

/** Alerts of four models; each model has two, of which one can explain the other. */
export const ALERTS = 8;

const n = fc.nat({ max: ALERTS - 1 });
const rarely = fc.integer({ min: 0, max: 9 }).map((one) => one === 0);
const kind = <K extends Step['kind']>(name: K) => fc.constant(name);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: kind('fire'), n, critical: fc.boolean(), lost: rarely }),
  },
  { weight: 4, arbitrary: fc.record({ kind: kind('resolve'), n, lost: rarely }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('repeat'), n, peer: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('late'), n }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('acknowledge'), n }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('silence'), n }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('unsilence'), n }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('crash') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('jump'),
      ms: fc.constantFrom(-3_600_000, -20_000, -1000, 1000, 20_000, 3_600_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('fault'),
      how: fc.constantFrom<Fault>('unreachable', 'throttled', 'answer_lost'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('heal') }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: kind('pass'), ms: fc.constantFrom(10, 300, 1000, 3000, 6 * SECOND) }),
  },
);

export const steps = fc.array(step, { minLength: 4, maxLength: 16 });
