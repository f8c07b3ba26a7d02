import { execFileSync } from 'node:child_process';

/** Git's hash of a directory as it was committed, with `+dirty` where it is not as committed. `unknown` outside a repository. */
export function treeHash(repository: string, path: string): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    return `${git('rev-parse', `HEAD:${path}`)}${git('status', '--porcelain', '--', path) === '' ? '' : '+dirty'}`;
  } catch {
    return 'unknown';
  }
}
