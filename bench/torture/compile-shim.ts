import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiles a C file of this folder into `directory`, to be loaded with LD_PRELOAD; throws with the compiler's words. Returns its path. */
export function compileShim(source: string, directory: string): string {
  const path = fileURLToPath(new URL(`./${source}`, import.meta.url));
  const library = join(directory, source.replace(/\.c$/, '.so'));
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, path, '-ldl', '-lpthread'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return library;
}
