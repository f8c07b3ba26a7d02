// What the compiler leaves out: files that the built service reads beside its code.
// Usage: node bench/support/copy-assets.mjs [dist directory]

import { chmodSync, cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = process.argv[2] ?? join(root, 'dist');

const engines = join(root, 'src/catalog/engines');
if (existsSync(engines)) cpSync(engines, join(dist, 'catalog/engines'), { recursive: true });

// `npx wakewell` and a symlink in the container run this file directly.
const main = join(dist, 'main.js');
if (existsSync(main)) chmodSync(main, 0o755);
