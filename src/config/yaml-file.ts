/**
 * Reads our own YAML: plain values only, every environment reference filled in, every node's place kept so
 * that a fault found later can still say file, line and column.
 */

import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import { didYouMean } from './suggest.js';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Path = readonly (string | number)[];
/** A fault and the offset in the text where it stands. */
type PlacedFault = { readonly offset: number; readonly message: string };

export type YamlFile =
  | {
      readonly kind: 'ok';
      /** Null for a file that holds nothing, or comments only. */
      readonly value: unknown;
      /** `line:column` of the key at a path, or of the nearest parent that exists. */
      readonly locate: (path: Path) => string;
    }
  | { readonly kind: 'faulty'; readonly faults: readonly string[] };

const MAX_CHARS = 1024 * 1024;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype', '<<']);
const PLAIN_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;
/** `${NAME}` or `${NAME:-value when unset or empty}`; `$${` stands for itself. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/**
 * Parses one YAML 1.2 document without tags, anchors, aliases or merge keys, each of which makes a file mean
 * something else than it says. References are filled in after parsing, so a value cannot become structure.
 * Never throws; faults read `line:column: message`.
 */
export function readYamlFile(text: string, env: Environment): YamlFile {
  if (text.length > MAX_CHARS) {
    return {
      kind: 'faulty',
      faults: [`1:1: found ${text.length} characters, expected at most ${MAX_CHARS}`],
    };
  }
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return `${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : [];
  const [document, second] = documents;
  if (document === undefined) return { kind: 'ok', value: null, locate: () => '1:1' };

  const faults: PlacedFault[] = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    message: sentence(error.code, error.message),
  }));
  if (second !== undefined) {
    faults.push({
      offset: second.range?.[0] ?? 0,
      message: `found ${documents.length} YAML documents, expected one`,
    });
  }
  visit(document, (_key, node) => {
    const found = forbidden(node);
    if (found !== null) faults.push(found);
  });
  if (faults.length === 0) faults.push(...fillIn(document, env));
  if (faults.length > 0) {
    return { kind: 'faulty', faults: faults.map(({ offset, message }) => `${place(offset)}: ${message}`) };
  }
  const root = document.contents as Node | null;
  return {
    kind: 'ok',
    value: document.toJS({ maxAliasCount: 0 }) as unknown,
    locate: (path) => place(offsetOf(root, path)),
  };
}

/** Replaces references in every text value; keys are left alone. */
function fillIn(document: Document, env: Environment): PlacedFault[] {
  const faults: PlacedFault[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      node.value = node.value.replace(REFERENCE, (whole, inside: string | undefined) => {
        if (inside === undefined) return '${';
        const reference = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside);
        const offset = node.range?.[0] ?? 0;
        if (reference === null) {
          faults.push({ offset, message: `found ${whole}, expected \${NAME} or \${NAME:-default}` });
          return '';
        }
        const [, name = '', fallback] = reference;
        const value = env[name];
        if (value !== undefined && value !== '') return value;
        if (fallback !== undefined) return fallback;
        const set = value === undefined ? 'is not set' : 'is empty';
        const near = value === undefined ? didYouMean(name, Object.keys(env)) : '';
        faults.push({ offset, message: `the environment variable ${name} ${set}${near}` });
        return '';
      });
    },
  });
  return faults;
}

function sentence(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'found a tab, expected spaces for indentation';
  if (code === 'DUPLICATE_KEY') return 'found the same key twice, expected it once';
  if (code === 'TAG_RESOLVE_FAILED') return 'found a tag (!…), expected plain values';
  return `not valid YAML: ${message}`;
}

function forbidden(node: unknown): PlacedFault | null {
  if (isAlias(node)) {
    return {
      offset: node.range?.[0] ?? 0,
      message: `found the alias *${node.source}, expected the value itself`,
    };
  }
  if (isPair(node)) {
    const offset = (node.key as Node | null)?.range?.[0] ?? 0;
    if (!isScalar(node.key) || typeof node.key.value !== 'string') {
      return { offset, message: 'found a key that is not a plain word' };
    }
    return FORBIDDEN_KEYS.has(node.key.value)
      ? { offset, message: `the key "${node.key.value}" is not allowed` }
      : null;
  }
  if (!isScalar(node) && !isCollection(node)) return null;
  const offset = node.range?.[0] ?? 0;
  if (node.anchor !== undefined)
    return { offset, message: `found the anchor &${node.anchor}, expected none` };
  if (node.tag !== undefined && !PLAIN_TAG.test(node.tag)) {
    return { offset, message: `found the tag ${node.tag}, expected plain values` };
  }
  return null;
}

function offsetOf(root: Node | null, path: Path): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isCollection(node)) {
      const item = node.items[Number(part)] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}
