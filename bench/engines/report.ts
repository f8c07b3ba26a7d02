/** The measurement as a table for the documents, and what upstream's texts did not confirm. */

import type { EngineFile } from '../../src/catalog/engine-file.js';
import type { Cell } from './measure.js';

const MARK: Readonly<Record<string, string>> = {
  exact: '=',
  proxy: '~',
  opt_in: 'o',
  inferred: '?',
  unavailable: '·',
};

/** A row a signal, a column an engine: `=` exact, `~` near it, `o` needs a flag, `?` inferred, `·` none, `!` off. */
export function conformanceTable(cells: readonly Cell[]): string {
  const engines = [...new Set(cells.map(({ engine }) => engine))];
  const signals = [...new Set(cells.map(({ signal }) => signal))];
  const row = (columns: readonly string[]) => `| ${columns.join(' | ')} |`;
  const markOf = (engine: string, signal: string) => {
    const cell = cells.find((one) => one.engine === engine && one.signal === signal);
    if (cell === undefined) return '';
    return cell.within === false ? '!' : (MARK[cell.status] ?? '');
  };
  return [
    row(['signal', ...engines]),
    row(['---', ...engines.map(() => ':-:')]),
    ...signals.map((signal) => row([`\`${signal}\``, ...engines.map((engine) => markOf(engine, signal))])),
  ].join('\n');
}

/** Signals whose names were derived or are general knowledge, a line each. */
export function unconfirmed(engines: readonly EngineFile[]): string[] {
  return engines.flatMap(({ engine, signals }) =>
    Object.entries(signals).flatMap(([signal, { status, source }]) =>
      status === 'inferred' || /not seen in a scrape|general knowledge/.test(source)
        ? status === 'unavailable'
          ? []
          : [`${engine} ${signal}: ${source}`]
        : [],
    ),
  );
}
