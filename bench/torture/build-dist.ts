/** A build of the service in a directory of its own, so that it can be patched and the real one stays as it is. */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** What the service reads beside its code. */
const ASSETS = ['migrations', 'playbooks', 'package.json'] as const;

/** Builds into `<home>/dist`; `home` lies inside the repository, where node_modules can be found. Returns the dist directory. */
export function buildDist(home: string): string {
  const dist = join(home, 'dist');
  mkdirSync(home, { recursive: true });
  run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', dist]);
  run(['bench/support/copy-assets.mjs', dist]);
  copyAssets(home);
  return dist;
}

/** Copies an existing build, for a mutant. Returns the copy's dist directory. */
export function copyDist(dist: string, home: string): string {
  const copy = join(home, 'dist');
  cpSync(dist, copy, { recursive: true });
  copyAssets(home);
  return copy;
}

function copyAssets(home: string): void {
  for (const name of readdirSync(REPOSITORY).filter((one) => ASSETS.some((asset) => asset === one))) {
    if (!existsSync(join(home, name))) cpSync(join(REPOSITORY, name), join(home, name), { recursive: true });
  }
}

function run(args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: REPOSITORY, stdio: ['ignore', 'ignore', 'inherit'] });
}
