/** The house is ranked: a file imports only from a lower rank or its own folder, type imports included. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

const RANKS: Readonly<Record<string, number>> = {
  domain: 0,
  config: 1,
  log: 1,
  catalog: 1,
  playbook: 2,
  routing: 2,
  render: 2,
  prometheus: 3,
  alertmanager: 3,
  store: 3,
  receivers: 3,
  diagnosis: 3,
  generate: 3,
  simulator: 3,
  collector: 3,
  incidents: 4,
  outbox: 4,
  health: 4,
  http: 5,
  slack: 5,
  ui: 5,
  jobs: 5,
  'app.ts': 6,
  cli: 7,
  'main.ts': 8,
};

/** Where the system's clock, randomness and process may be named. */
const MAY_TOUCH_THE_PROCESS = /^(?:app\.ts|main\.ts|cli\/)/;

type Edge = { readonly from: string; readonly to: string };

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => file.replaceAll('\\', '/'));
const sources = new Map(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]));

const folderOf = (file: string) => file.split('/')[0] ?? '';

function importsOf(file: string, source: string): string[] {
  return [...source.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, target = '']) => {
    if (!target.startsWith('.')) return target;
    const path = normalize(join(dirname(file), target)).replaceAll('\\', '/');
    return (
      [path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')].find((one) => sources.has(one)) ?? path
    );
  });
}

const edges: Edge[] = files.flatMap((from) =>
  importsOf(from, sources.get(from) ?? '').map((to) => ({ from, to })),
);
const inside = edges.filter(({ to }) => sources.has(to));

/** Edges that break the ranking, as text. */
function wrongEdges(all: readonly Edge[]): string[] {
  return all
    .filter(({ from, to }) => {
      const [here, there] = [folderOf(from), folderOf(to)];
      return here !== there && !((RANKS[there] ?? 99) < (RANKS[here] ?? -1));
    })
    .map(({ from, to }) => `${from} → ${to}`);
}

/** One cycle as text, or null. */
function findCycle(all: readonly Edge[]): string | null {
  const targets = new Map<string, string[]>();
  for (const { from, to } of all) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' → ');
    if (done.has(file)) return null;
    for (const next of targets.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of targets.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

describe('the house', () => {
  test('every folder has a rank', () => {
    expect([...new Set(files.map(folderOf))].filter((folder) => RANKS[folder] === undefined)).toEqual([]);
  });

  test('a file imports only from a lower rank or its own folder', () => {
    expect(wrongEdges(inside)).toEqual([]);
  });

  test('no import cycle, type imports included', () => {
    expect(findCycle(inside)).toBeNull();
  });

  test('the domain imports nothing', () => {
    expect(edges.filter(({ from, to }) => folderOf(from) === 'domain' && folderOf(to) !== 'domain')).toEqual(
      [],
    );
  });

  test('an upward import and a cycle would be noticed', () => {
    expect(wrongEdges([{ from: 'domain/alert.ts', to: 'store/database.ts' }])).toHaveLength(1);
    expect(wrongEdges([{ from: 'http/http-app.ts', to: 'ui/layout.tsx' }])).toHaveLength(1);
    expect(
      findCycle([
        { from: 'a/1.ts', to: 'a/2.ts' },
        { from: 'a/2.ts', to: 'a/1.ts' },
      ]),
    ).toBe('a/1.ts → a/2.ts → a/1.ts');
  });
});

describe('what an argument must be', () => {
  const elsewhere = files.filter((file) => !MAY_TOUCH_THE_PROCESS.test(file));
  const codeOf = (file: string) =>
    (sources.get(file) ?? '').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const naming = (pattern: RegExp) => elsewhere.filter((file) => pattern.test(codeOf(file)));

  test('the clock is passed in', () => {
    expect(naming(/\bDate\.now\(|\bperformance\.now\(|\bsetInterval\(/)).toEqual([]);
  });

  test('randomness is passed in', () => {
    expect(naming(/\bMath\.random\(/)).toEqual([]);
  });

  test('the environment is passed in', () => {
    expect(naming(/\bprocess\.(?:env|exit|argv|cwd|on)\b/)).toEqual([]);
  });

  test('nothing is exported by default and nothing is an enum', () => {
    expect(files.filter((file) => /^export default|^export enum/m.test(codeOf(file)))).toEqual([]);
  });
});
