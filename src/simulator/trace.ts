/** Reads traces of real traffic: one request a line, `arrival s, prompt tokens, output tokens`. */

export type TraceArrival = {
  readonly atMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
};

export type TraceReading =
  | { readonly kind: 'ok'; readonly arrivals: readonly TraceArrival[] }
  | { readonly kind: 'faulty'; readonly faults: readonly string[] };

/** Faults reported before giving up: a wrong file has one on every line. */
const MAX_FAULTS = 20;

/**
 * Reads CSV text. The first line may be a header; empty lines and CRLF are fine; further columns are ignored.
 * Arrivals come back in order of time. Faults name their line; a trace with any is refused, since a silently
 * shortened trace would be another trace.
 */
export function readTrace(csv: string): TraceReading {
  const arrivals: TraceArrival[] = [];
  const faults: string[] = [];
  const lines = csv.replace(/^\uFEFF/, '').split(/\r?\n/);
  let first = true;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const cells = line.split(',').map((cell) => cell.trim());
    const isHeader = first && Number.isNaN(Number(cells[0]));
    first = false;
    if (isHeader) continue;
    const arrival = readArrival(cells);
    if (typeof arrival !== 'string') arrivals.push(arrival);
    else if (faults.length < MAX_FAULTS) faults.push(`line ${index + 1}: ${arrival}`);
  }
  if (faults.length > 0) return { kind: 'faulty', faults };
  if (arrivals.length === 0) return { kind: 'faulty', faults: ['the trace holds no request'] };
  return { kind: 'ok', arrivals: arrivals.sort((a, b) => a.atMs - b.atMs) };
}

function readArrival(cells: readonly string[]): TraceArrival | string {
  if (cells.length < 3) {
    return `expected "arrival s, prompt tokens, output tokens", found ${cells.length} column${cells.length === 1 ? '' : 's'}`;
  }
  const [seconds, prompt, output] = cells.map((cell) => (cell === '' ? Number.NaN : Number(cell)));
  if (!isAmount(seconds)) return `arrival: expected seconds, found "${cells[0]}"`;
  if (!isAmount(prompt)) return `prompt tokens: expected a number, found "${cells[1]}"`;
  if (!isAmount(output)) return `output tokens: expected a number, found "${cells[2]}"`;
  return {
    atMs: seconds * 1000,
    // Every request has something to read and gives at least one token.
    promptTokens: Math.max(1, Math.round(prompt)),
    outputTokens: Math.max(1, Math.round(output)),
  };
}

function isAmount(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}
