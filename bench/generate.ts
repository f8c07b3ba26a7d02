/**
 * `npm run generate`: writes what deploy/ holds of our own catalog, so that compose and Kubernetes start with it. A test
 * compares the files with what is made here.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generatedFiles } from './support/generated-files.js';

for (const [file, text] of generatedFiles()) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(file);
}
