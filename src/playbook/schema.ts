/** A playbook entry as the loader hands it out: conditions parsed, shared steps and causes filled in. Plain data. */

import type { Matcher } from '../domain/labels.js';
import type { Comparison } from './condition.js';

/** What a step tests, see condition.ts for `Comparison`. */
export type FailTest =
  | {
      readonly kind: 'any_worker' | 'most_workers' | 'few_workers' | 'scope' | 'skew';
      readonly comparison: Comparison;
    }
  | { readonly kind: 'rising' | 'falling'; readonly windowMs: number }
  /** Workers that hold requests and let no token out. The signal is a rate of tokens. */
  | { readonly kind: 'wedged'; readonly comparison: Comparison };

export type FailRule = {
  readonly test: FailTest;
  /** Must hold on the same worker, by name of an extra reading. */
  readonly while: readonly { readonly name: string; readonly comparison: Comparison }[];
  /** All must hold besides the test. */
  readonly and: readonly Comparison[];
  /** Or, alternatively, all of these. Empty = no alternative. */
  readonly or: readonly Comparison[];
};

/** A signal, or one divided by another of the same worker. */
export type SignalRef = { readonly signal: string; readonly per: string | null };

/** Another reading beside a step's own; `agoMs` > 0: as it was then, ms of people's time. */
export type ExtraRef = SignalRef & { readonly name: string; readonly agoMs: number };

export type StepRead =
  | ({ readonly kind: 'signal' } & SignalRef)
  | { readonly kind: 'query'; readonly query: string; readonly unit: string | null }
  /** Lines of the scope's logs over the window, counted by pattern (RE2); `look` where no logs can be asked. */
  | {
      readonly kind: 'logs';
      readonly patterns: Readonly<Record<string, string>>;
      readonly windowMs: number;
      readonly look: string;
    }
  /** Nothing a metric can show: always `unknown`, and says what to look at. */
  | { readonly kind: 'by_hand'; readonly look: string };

export type PlaybookStep = {
  readonly id: string;
  readonly title: string;
  /** Two words at most, for one-line summaries ("KV"). */
  readonly short: string;
  readonly read: StepRead;
  readonly with: readonly ExtraRef[];
  /** How to have it measured where nobody does: the step is then unknown, not skipped. */
  readonly enable?: string | null;
  /** Null: the step only observes. */
  readonly fail: FailRule | null;
  readonly appliesWhen: { readonly engines: readonly string[]; readonly condition: Comparison | null } | null;
};

/** One thing that must be so, about one step. `text` is how it was written. */
export type StepRequirement = {
  readonly step: string;
  readonly text: string;
  readonly is:
    | {
        readonly kind: 'status';
        readonly status: 'fail' | 'ok' | 'not_fail' | 'missing';
        readonly on: 'most' | 'few' | null;
      }
    | { readonly kind: 'rising' | 'falling' }
    | { readonly kind: 'compare'; readonly comparison: Comparison };
};

/**
 * Met when any of its alternatives is. `means`: in words, for what was checked and is absent. `must`: unless it was seen
 * to be so, the cause is not named; the first requirement of a cause always is one.
 */
export type Requirement = {
  readonly anyOf: readonly StepRequirement[];
  readonly means?: string | null;
  readonly must?: boolean;
};

export type PlaybookFix = {
  readonly do: string;
  /** By engine; `any` serves the others. Empty = no command. */
  readonly command: Readonly<Record<string, string>>;
  readonly expect: string | null;
  readonly protects: string | null;
  readonly needs: 'none' | 'scale' | 'restart';
  readonly risk: string | null;
  /** What it turns (`batch_size`): compared with what other causes forbid. */
  readonly lever: string | null;
  readonly onlyIf: Requirement | null;
  /** Shown only when these causes are ruled out. */
  readonly unless: readonly string[];
};

export type PlaybookCause = {
  readonly id: string;
  readonly says: string;
  readonly short: string;
  readonly requires: readonly Requirement[];
  readonly refutedBy: readonly Requirement[];
  readonly beats: readonly string[];
  readonly explains: readonly string[];
  readonly fixes: readonly PlaybookFix[];
  readonly doNot: readonly {
    readonly fix: string;
    readonly because: string;
    readonly lever: string | null;
  }[];
};

export type PlaybookEntry = {
  /** File name without `.yaml`. */
  readonly id: string;
  readonly file: string;
  readonly isDefault: boolean;
  /** One list a label: any of its matchers may hold; every label must. */
  readonly match: readonly (readonly Matcher[])[];
  readonly title: string;
  readonly symptoms: readonly string[];
  readonly steps: readonly PlaybookStep[];
  readonly causes: readonly PlaybookCause[];
  /** What to look at by hand when the cause is unclear. */
  readonly unclear: string | null;
  readonly escalation: readonly Escalation[];
};

/** Whom an incident goes on to, and when. */
export type Escalation = {
  /** From the beginning of the firing period, ms of people's time. */
  readonly afterMs: number;
  /** What somebody must have done by then; a resolved incident is never escalated. */
  readonly unless: 'acknowledged' | 'resolved';
  /** A name of `escalation_targets`, or of a receiver; any other text is only said. */
  readonly to: string;
  /** A check that is made again at its time; null = none. */
  readonly onlyIf: Requirement | null;
  readonly why: string | null;
};
