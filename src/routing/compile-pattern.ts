/**
 * Patterns of `=~` and `!~`. Alertmanager runs them on RE2, which is linear; ours run on V8, which is not,
 * and label values come from strangers. So what RE2 does not know is refused, and so is every shape whose
 * time on V8 explodes: a repeated group that itself repeats or chooses, and more than three open repeats in a row.
 */

const MAX_PATTERN_LENGTH = 1000;
/** A longer value does not match a pattern: three open repeats on 512 characters stay within milliseconds. */
const MAX_VALUE_LENGTH = 512;
const MAX_OPEN_REPEATS = 3;

export type CompiledPattern =
  | { readonly kind: 'pattern'; readonly test: (value: string) => boolean }
  | { readonly kind: 'refused'; readonly why: string };

const cache = new Map<string, CompiledPattern>();

/** Compiles an anchored pattern; `why` reads on from "pattern x". Never throws. */
export function compilePattern(source: string): CompiledPattern {
  const known = cache.get(source);
  if (known !== undefined) return known;
  const compiled = compile(source);
  // Patterns come from the configuration, so there are few; the bound is for whoever reloads it for years.
  if (cache.size > 1000) cache.clear();
  cache.set(source, compiled);
  return compiled;
}

function compile(source: string): CompiledPattern {
  if (source.length > MAX_PATTERN_LENGTH) {
    return refused(`is longer than ${MAX_PATTERN_LENGTH} characters`);
  }
  const flags = /^\(\?([is]+)\)/.exec(source);
  const body = flags === null ? source : source.slice(flags[0].length);
  if (/\(\?(?!:|P?<[A-Za-z])/.test(body)) return refused('uses a look-around or flag that RE2 does not know');
  if (/\\[1-9]|\\k</.test(body)) return refused('uses a back-reference, which RE2 does not know');
  const native = body.replaceAll('(?P<', '(?<');
  let regex: RegExp;
  try {
    // Dot matches newline too: Alertmanager compiles `^(?:…)$` and label values rarely hold one.
    regex = new RegExp(`^(?:${native})$`, `s${flags?.[1]?.includes('i') === true ? 'i' : ''}`);
  } catch (error) {
    return refused(`is no valid expression: ${error instanceof Error ? error.message : String(error)}`);
  }
  const cost = costOf(native);
  if (cost === null)
    return refused('repeats a group that itself repeats or chooses: write it without the outer repeat');
  if (cost > MAX_OPEN_REPEATS)
    return refused(`has more than ${MAX_OPEN_REPEATS} open repeats (* or +) in a row`);
  return { kind: 'pattern', test: (value) => value.length <= MAX_VALUE_LENGTH && regex.test(value) };
}

function refused(why: string): CompiledPattern {
  return { kind: 'refused', why };
}

type Group = { sum: number; max: number; chooses: boolean };

/** Open repeats in the longest alternative, or null when a group with a repeat or a choice is repeated. */
function costOf(source: string): number | null {
  const stack: Group[] = [];
  let group: Group = { sum: 0, max: 0, chooses: false };
  for (let i = 0; i < source.length; i++) {
    const char = source.charAt(i);
    if (char === '\\') i++;
    else if (char === '[') i = endOfClass(source, i);
    else if (char === '(') {
      stack.push(group);
      group = { sum: 0, max: 0, chooses: false };
    } else if (char === '|') {
      group = { sum: 0, max: Math.max(group.max, group.sum), chooses: true };
    } else if (char === ')') {
      const inner = Math.max(group.max, group.sum);
      const repeats = isRepeat(source.slice(i + 1));
      if (repeats && (inner > 0 || group.chooses)) return null;
      group = stack.pop() ?? { sum: 0, max: 0, chooses: false };
      group.sum += inner;
    } else if (isRepeat(source.slice(i)) && char !== '?') group.sum += 1;
  }
  return Math.max(group.max, group.sum);
}

/** `*`, `+`, `{2,}` and any `{n,m}` that could repeat more than ten times. */
function isRepeat(rest: string): boolean {
  if (rest.startsWith('*') || rest.startsWith('+')) return true;
  const counted = /^\{(\d+)(,(\d*))?\}/.exec(rest);
  if (counted === null) return false;
  const most = counted[2] === undefined ? counted[1] : counted[3];
  return most === '' || Number(most) > 10;
}

function endOfClass(source: string, start: number): number {
  // A "]" right after "[" or "[^" is a member in RE2; V8 reads it as the end, which only makes the class smaller.
  for (let i = start + 1; i < source.length; i++) {
    if (source.charAt(i) === '\\') i++;
    else if (source.charAt(i) === ']') return i;
  }
  return source.length;
}
