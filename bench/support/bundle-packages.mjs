// The packages that the built service imports, bundled into few files: a start reads some 900 files less, and Node
// takes most of a start for finding and reading modules. What is imported in src stays as it is; only dist changes.
// Usage: node bench/support/bundle-packages.mjs [dist directory]

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = process.argv[2] ?? join(root, 'dist');
const bundles = join(dist, 'packages');

rmSync(bundles, { recursive: true, force: true });

/** Native code, a package that starts threads from its own files, and one that a single command loads. */
const LEFT_ALONE = /^(node:|better-sqlite3|pino|@grafana\/)/;
/** Runs in the programs of others, with their prom-client. */
const NOT_OURS_TO_BUNDLE = join(dist, 'collector');

const IMPORT = /^(import|export) ([^'"\n]*?|\{[^}]*\}) from (['"])([^.'"][^'"]*)\3;/gm;

const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .map((name) => join(dist, name))
  .filter((file) => file.endsWith('.js'))
  .filter((file) => !file.startsWith(NOT_OURS_TO_BUNDLE) && !file.startsWith(bundles));

/** Which names each package is asked for: the rest of it is left out where it allows that. */
const wanted = new Map();
for (const file of files) {
  for (const [, , clause, , name] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    if (LEFT_ALONE.test(name)) continue;
    const names = wanted.get(name) ?? new Set();
    for (const one of namesOf(clause, `${file}: ${name}`)) names.add(one);
    wanted.set(name, names);
  }
}

await build({
  entryPoints: [...wanted.keys()].map((name) => ({ in: `wanted:${name}`, out: fileName(name) })),
  outdir: bundles,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  // Names stay, so that a stack trace still says where; licences are written to a file beside each bundle.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'external',
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  plugins: [
    { name: 'wanted', setup: offerWanted },
    { name: 'english', setup: keepEnglish },
  ],
});

for (const file of files) {
  const text = readFileSync(file, 'utf8');
  const rewritten = text.replace(IMPORT, (line, keyword, clause, _quote, name) => {
    if (LEFT_ALONE.test(name)) return line;
    const to = relative(dirname(file), join(bundles, `${fileName(name)}.js`))
      .split(sep)
      .join('/');
    return `${keyword} ${clause} from '${to.startsWith('.') ? to : `./${to}`}';`;
  });
  if (rewritten !== text) writeFileSync(file, rewritten);
}

/** One module a package, that offers exactly what is imported from it. */
function offerWanted({ onResolve, onLoad }) {
  onResolve({ filter: /^wanted:/ }, ({ path }) => ({
    path: path.slice('wanted:'.length),
    namespace: 'wanted',
  }));
  onLoad({ filter: /.*/, namespace: 'wanted' }, ({ path }) => ({
    contents: `export { ${[...(wanted.get(path) ?? [])].join(', ')} } from '${path}';`,
    resolveDir: root,
  }));
}

/** zod brings its messages in fifty languages, and ours are English. */
function keepEnglish({ onLoad }) {
  onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
    contents: "export { default as en } from './en.js';",
  }));
}

/** `a, { b as c }` asks for `default` and `b`. */
function namesOf(clause, where) {
  if (clause.includes('*')) throw new Error(`${where}: a namespace import cannot be bundled`);
  const named = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  const names = named
    .split(',')
    .map((one) => one.trim().split(/\s+as\s+/)[0])
    .filter((one) => one !== undefined && one !== '');
  return clause.trim().startsWith('{') ? names : ['default', ...names];
}

function fileName(name) {
  return name.replace(/^@/, '').replaceAll('/', '-');
}
