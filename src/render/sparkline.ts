/** Up to eight bars of text: "▂▃▅▇███". Slack shows no SVG, and an image would need an upload. */

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const WIDTH = 8;

/**
 * Draws the last values, oldest first, averaged down to eight bars between their own least and most.
 * Gaps (NaN) are left out. Empty for fewer than two numbers, and for a flat line, which tells nothing.
 */
export function sparkline(values: readonly number[]): string {
  const points = values.filter((value) => Number.isFinite(value));
  if (points.length < 2) return '';
  const count = Math.min(WIDTH, points.length);
  const bars = Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * points.length) / count);
    const part = points.slice(from, Math.max(from + 1, Math.floor(((i + 1) * points.length) / count)));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const least = Math.min(...bars);
  const span = Math.max(...bars) - least;
  if (!(span > 0) || !Number.isFinite(span)) return '';
  return bars.map((bar) => BARS[Math.round(((bar - least) / span) * (BARS.length - 1))] ?? BARS[0]).join('');
}
