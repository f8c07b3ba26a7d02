/**
 * The small language of conditions: `[name] operator operand`, e.g. `> kv_cache_utilization.full`,
 * `max > 3 * median`, `share.oom >= 30%`. An operand is a number, a percentage, a threshold of the
 * catalog or a number of the step, optionally with a factor in front. Nothing else: no code runs.
 */

export type Comparator = '>' | '>=' | '<' | '<=';

/** `factor × scaledBy × reference`; a plain number has no reference. `scaledBy` is a threshold, such as "times grown". */
export type Operand = {
  readonly factor: number;
  readonly scaledBy?: string;
  readonly reference: { readonly kind: 'number' | 'threshold'; readonly name: string } | null;
};

/** `left` null means the value under test: each worker's, or the scope's. */
export type Comparison = {
  readonly text: string;
  readonly left: string | null;
  readonly comparator: Comparator;
  readonly right: Operand;
};

export type ParsedComparison =
  | { readonly kind: 'ok'; readonly comparison: Comparison }
  | { readonly kind: 'faulty'; readonly reason: string; readonly unknownName: string | null };

const NAME = '[a-z][a-z0-9_]*(?:\\.[a-zA-Z0-9_-]+)*';
const NUMBER = '\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?';
const SHAPE = new RegExp(
  `^(?:(?<left>${NAME})\\s*)?(?<op>>=|<=|>|<)\\s*(?:(?<factor>${NUMBER}|${NAME})\\s*\\*\\s*(?<ref>${NAME})|(?<literal>${NUMBER})(?<percent>%)?|(?<name>${NAME}))$`,
);

/**
 * Reads one condition. `isThreshold` and `isNumber` say which names exist; an unknown one is a fault,
 * since a condition on a name that is never there would never fail.
 */
export function parseComparison(
  text: string,
  names: { readonly isThreshold: (name: string) => boolean; readonly isNumber: (name: string) => boolean },
): ParsedComparison {
  const groups = SHAPE.exec(text.trim())?.groups;
  if (groups === undefined) {
    return {
      kind: 'faulty',
      reason: `cannot read condition "${text}"; expected e.g. "> 0.9", "> kv_cache_utilization.full" or "max > 3 * median"`,
      unknownName: null,
    };
  }
  const left = groups.left ?? null;
  if (left !== null && !names.isNumber(left)) return unknown(left);
  const referenceName = groups.ref ?? groups.name;
  let right: Operand;
  if (referenceName === undefined) {
    const literal = Number(groups.literal);
    right = { factor: groups.percent === undefined ? literal : literal / 100, reference: null };
  } else {
    const scale = scaleOf(groups.factor);
    if (scale.scaledBy !== undefined && !names.isThreshold(scale.scaledBy)) return unknown(scale.scaledBy);
    if (names.isThreshold(referenceName)) {
      right = { ...scale, reference: { kind: 'threshold', name: referenceName } };
    } else if (names.isNumber(referenceName)) {
      right = { ...scale, reference: { kind: 'number', name: referenceName } };
    } else return unknown(referenceName);
  }
  return {
    kind: 'ok',
    comparison: { text: text.trim(), left, comparator: groups.op as Comparator, right },
  };
}

function scaleOf(factor: string | undefined): Pick<Operand, 'factor' | 'scaledBy'> {
  if (factor === undefined) return { factor: 1 };
  return Number.isNaN(Number(factor)) ? { factor: 1, scaledBy: factor } : { factor: Number(factor) };
}

function unknown(name: string): ParsedComparison {
  return { kind: 'faulty', reason: `unknown name "${name}"`, unknownName: name };
}

export type Numbers = Readonly<Record<string, number>>;

/** A named number, or undefined when it was not seen. The share of a value that did not occur is 0 where shares were seen. */
export function numberNamed(numbers: Numbers, name: string): number | undefined {
  if (Object.hasOwn(numbers, name)) return numbers[name];
  if (name.startsWith('share.') && Object.hasOwn(numbers, 'share_seen')) return 0;
  return undefined;
}

/** The right side as a number; undefined when it rests on something unseen or on an unknown threshold. */
export function operandValue(operand: Operand, numbers: Numbers, thresholds: Numbers): number | undefined {
  if (operand.reference === null) return operand.factor;
  const { kind, name } = operand.reference;
  const value = kind === 'threshold' ? thresholds[name] : numberNamed(numbers, name);
  const scale = operand.scaledBy === undefined ? 1 : thresholds[operand.scaledBy];
  return value === undefined || scale === undefined ? undefined : operand.factor * scale * value;
}

/** True, false, or null when either side was not seen (NaN counts as not seen). */
export function holds(
  comparison: Comparison,
  tested: number | undefined,
  numbers: Numbers,
  thresholds: Numbers,
): boolean | null {
  const left = comparison.left === null ? tested : numberNamed(numbers, comparison.left);
  const right = operandValue(comparison.right, numbers, thresholds);
  if (left === undefined || right === undefined || Number.isNaN(left) || Number.isNaN(right)) return null;
  switch (comparison.comparator) {
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
  }
}

/** Every operand true → true; one false → false; else null. An empty list is true. */
export function all(values: readonly (boolean | null)[]): boolean | null {
  if (values.includes(false)) return false;
  return values.includes(null) ? null : true;
}

/** One operand true → true; every one false → false; else null. An empty list is false. */
export function any(values: readonly (boolean | null)[]): boolean | null {
  if (values.includes(true)) return true;
  return values.includes(null) ? null : false;
}
