/**
 * Fire and resolve in turn. An incident that keeps doing so is flapping: it stays open, silent, until it was quiet for
 * a while. Entering takes several cycles, leaving takes quiet, so that it does not flap between the two itself.
 */

/** One firing period as alerts had it: when it began, and when the last alert resolved; null while one fires. */
export type Cycle = { readonly firedAtMs: number; readonly resolvedAtMs: number | null };

export type FlappingRule = {
  /** So many ends of firing within `withinMs` make it flap. */
  readonly cycles: number;
  readonly withinMs: number;
  /** It stops flapping when nothing changed for so long. */
  readonly quietMs: number;
};

/** More than any rule counts and any bar shows. */
export const MAX_CYCLES = 40;

/** One more firing period. */
export function begun(cycles: readonly Cycle[], nowMs: number): Cycle[] {
  return [...cycles, { firedAtMs: nowMs, resolvedAtMs: null }].slice(-MAX_CYCLES);
}

/** The running firing period is over. Nothing changes where none runs. */
export function ended(cycles: readonly Cycle[], nowMs: number): Cycle[] {
  const last = cycles.at(-1);
  if (last === undefined || last.resolvedAtMs !== null) return [...cycles];
  return [...cycles.slice(0, -1), { ...last, resolvedAtMs: nowMs }];
}

/** Whether nothing fires now. An incident older than its record counts as firing. */
export function isQuiet(cycles: readonly Cycle[]): boolean {
  const last = cycles.at(-1);
  return last !== undefined && last.resolvedAtMs !== null;
}

/** Whether it fired and resolved often enough, lately, to call it flapping. */
export function flaps(cycles: readonly Cycle[], rule: FlappingRule, nowMs: number): boolean {
  const lately = cycles.filter(
    ({ resolvedAtMs }) => resolvedAtMs !== null && resolvedAtMs > nowMs - rule.withinMs,
  );
  return lately.length >= rule.cycles;
}

/** When it last changed, ms since 1970; null when nothing is recorded. */
export function lastChangeMs(cycles: readonly Cycle[]): number | null {
  const last = cycles.at(-1);
  return last === undefined ? null : (last.resolvedAtMs ?? last.firedAtMs);
}

/** What is kept when it stops flapping: the firing period that runs, so that the next change begins a new count. */
export function settled(cycles: readonly Cycle[]): Cycle[] {
  return cycles.filter(({ resolvedAtMs }) => resolvedAtMs === null).slice(-1);
}

/** As it is stored: `[[fired, resolved], …]`, oldest first. */
export function cyclesToText(cycles: readonly Cycle[]): string {
  return JSON.stringify(cycles.map(({ firedAtMs, resolvedAtMs }) => [firedAtMs, resolvedAtMs]));
}

export function cyclesFromText(text: string): Cycle[] {
  return (JSON.parse(text) as [number, number | null][]).map(([firedAtMs, resolvedAtMs]) => ({
    firedAtMs,
    resolvedAtMs,
  }));
}
