import type { Unit } from './signals.js';

/** A value as a person reads it at night: "97%", "11.8 s", "41 requests", "28.1k tokens", "76.0 GiB". */
export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value))
    return Number.isNaN(value) ? 'not a number' : value > 0 ? 'above every bucket' : 'below every bucket';
  switch (unit) {
    case 'ratio':
      return formatRatio(value);
    case 'seconds':
      return value !== 0 && Math.abs(value) < 1 ? `${trim(value * 1000, 0)} ms` : `${trim(value, 1)} s`;
    case 'requests':
      return counted(value, 'request');
    case 'tokens':
      return `${short(value)} tokens`;
    case 'tokens_per_second':
      return `${short(value)} tokens/s`;
    case 'per_second':
      return `${trim(value, value < 1 ? 2 : 1)}/s`;
    case 'bytes':
      return `${(value / 2 ** 30).toFixed(1)} GiB`;
    case 'count':
      return trim(value, Number.isInteger(value) ? 0 : 1);
    case 'blocks':
      return counted(value, 'block');
    case 'celsius':
      return `${trim(value, 0)} °C`;
    case 'bool':
      return value >= 1 ? 'yes' : 'no';
  }
}

/** Small shares keep a digit: 0.4% is not 0%. */
function formatRatio(value: number): string {
  const percent = value * 100;
  return `${trim(percent, Math.abs(percent) < 10 && !Number.isInteger(percent) ? 1 : 0)}%`;
}

function counted(value: number, noun: string): string {
  const text = short(value);
  return `${text} ${text === '1' ? noun : `${noun}s`}`;
}

function short(value: number): string {
  return Math.abs(value) >= 10_000
    ? `${trim(value / 1000, 1)}k`
    : trim(value, Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0);
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.0+$/, '');
}
