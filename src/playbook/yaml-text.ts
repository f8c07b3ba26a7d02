/** Reads one YAML text defensively and remembers where everything stood. */

import {
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
import type { Path } from './faults.js';

export type Place = { readonly line: number; readonly column: number };
export type YamlFault = Place & { readonly message: string };

export type YamlText =
  | {
      readonly kind: 'ok';
      readonly value: unknown;
      /** Where the value (or the key) at a path stands; the nearest parent that exists when it does not. */
      readonly locate: (path: Path, at: 'key' | 'value') => Place;
    }
  | { readonly kind: 'faulty'; readonly faults: readonly YamlFault[] };

/** Larger files are no playbooks. */
const MAX_CHARS = 256 * 1024;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype', '<<']);
/** The plain types of YAML 1.2's core schema; anything else came from a tag that was written out. */
const PLAIN_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Parses YAML 1.2 without tags, anchors, aliases, merge keys or several documents: a playbook needs none
 * of them, and each is a way to make a file mean something else than it says. Never throws.
 */
export function readYamlText(text: string): YamlText {
  const start = { line: 1, column: 1 };
  if (text.startsWith('\uFEFF'))
    return faulty({
      ...start,
      message: 'found a byte order mark, expected plain UTF-8: save the file without BOM',
    });
  if (text.length > MAX_CHARS)
    return faulty({ ...start, message: `found ${text.length} characters, expected at most ${MAX_CHARS}` });
  if (text.trim() === '')
    return faulty({ ...start, message: 'the file is empty, expected a playbook entry' });

  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const position = lines.linePos(Math.max(0, offset));
    return { line: Math.max(1, position.line), column: Math.max(1, position.col) };
  };
  const documents = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  if (!Array.isArray(documents) || documents.length === 0)
    return faulty({ ...start, message: 'the file holds only comments, expected a playbook entry' });
  const second = documents[1];
  if (second !== undefined) {
    return faulty({
      ...place(second.range?.[0] ?? 0),
      message: `found ${documents.length} YAML documents, expected one a file`,
    });
  }
  const document = documents[0];
  if (document === undefined)
    return faulty({ ...start, message: 'the file is empty, expected a playbook entry' });

  const faults: YamlFault[] = [...document.errors, ...document.warnings].map((error) => ({
    ...place(error.pos[0]),
    message: sentence(error.code, error.message),
  }));
  visit(document, (_key, node) => {
    const found = forbidden(node);
    if (found !== null) faults.push({ ...place(found.offset), message: found.message });
  });
  if (faults.length > 0) return { kind: 'faulty', faults };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return faulty({ ...start, message: 'the file is empty, expected a playbook entry' });
  }
  const root = document.contents as Node;
  return {
    kind: 'ok',
    value: document.toJS({ maxAliasCount: 0 }) as unknown,
    locate: (path, at) => place(offsetOf(root, path, at)),
  };
}

function faulty(fault: YamlFault): YamlText {
  return { kind: 'faulty', faults: [fault] };
}

function sentence(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'found a tab, expected spaces for indentation';
  if (code === 'DUPLICATE_KEY') return 'found the same key twice, expected it once';
  if (code === 'TAG_RESOLVE_FAILED') return 'found a tag (!…), expected plain values';
  return `not valid YAML: ${message}`;
}

function forbidden(node: unknown): { readonly offset: number; readonly message: string } | null {
  if (isAlias(node))
    return {
      offset: node.range?.[0] ?? 0,
      message: `found the alias *${node.source}, expected the value itself: share steps and causes in common.yaml`,
    };
  if (isPair(node)) {
    const key = node.key;
    const offset = (key as Node | null)?.range?.[0] ?? 0;
    if (!isScalar(key) || typeof key.value !== 'string')
      return { offset, message: 'found a key that is not a plain word, expected text' };
    if (FORBIDDEN_KEYS.has(key.value))
      return { offset, message: `found the key "${key.value}", which no playbook may use` };
    return null;
  }
  if (!isScalar(node) && !isCollection(node)) return null;
  const offset = node.range?.[0] ?? 0;
  if (node.anchor !== undefined)
    return {
      offset,
      message: `found the anchor &${node.anchor}, expected none: share steps and causes in common.yaml`,
    };
  if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag))
    return { offset, message: `found the tag ${node.tag}, expected plain values` };
  return null;
}

function offsetOf(root: Node, path: Path, at: 'key' | 'value'): number {
  let node: unknown = root;
  let offset = root.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
      if (pair === undefined) return offset;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      const wantsKey = at === 'key' && index === path.length - 1;
      offset = (wantsKey ? key.range?.[0] : (value?.range?.[0] ?? key.range?.[0])) ?? offset;
      node = value;
    } else if (isCollection(node)) {
      const item = node.items[Number(part)] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}
