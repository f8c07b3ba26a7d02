/** What is wrong in a playbook, where, and what was expected. */

import type { z } from 'zod';
import { didYouMean } from './suggest.js';

export type PlaybookFault = {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** What was found, what was expected, and a suggestion where one is near. */
  readonly message: string;
};

export type Path = readonly (string | number)[];

/** A fault before its place in the file is known. `at: 'key'` points at the key itself, not its value. */
export type PathFault = { readonly path: Path; readonly at: 'key' | 'value'; readonly message: string };

/** `playbooks/high-ttft.yaml:12:7: unknown step "kvcache"; did you mean "kv_cache"?` */
export function formatFault(fault: PlaybookFault): string {
  return `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`;
}

/** Our words for zod's issues: one fault a mistyped key, and of a union the alternative that was meant. */
export function faultsFromZod(error: z.ZodError, schema: z.ZodType, value: unknown): PathFault[] {
  return error.issues.flatMap((issue) => fromIssue(issue as Issue, [], schema, value));
}

type Issue = z.core.$ZodIssue;

function fromIssue(issue: Issue, prefix: Path, root: z.ZodType, value: unknown): PathFault[] {
  const path: Path = [
    ...prefix,
    ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
  ];
  const where = describePath(path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(root, path);
      return issue.keys.map((key) => ({
        path: [...path, key],
        at: 'key' as const,
        message: `${where}unknown field "${key}"${didYouMean(key, known)}${known.length > 0 ? ` Known: ${known.join(', ')}` : ''}`,
      }));
    }
    case 'invalid_union': {
      // The alternative that got furthest is the one that was meant.
      const branches = issue.errors.filter(
        (issues) => !issues.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
      );
      const meant = branches[0] ?? issue.errors[0];
      if (branches.length === 0 || meant === undefined) {
        return [
          {
            path,
            at: 'value',
            message: `${where}found ${describe(at(value, path))}, expected ${expectedOf(issue)}`,
          },
        ];
      }
      return meant.flatMap((inner) => fromIssue(inner, path, root, value));
    }
    case 'invalid_key':
      return [
        {
          path,
          at: 'key',
          message: `${where}found the name "${String(path.at(-1))}", expected ${issue.issues[0]?.message ?? 'another name'}`,
        },
      ];
    case 'invalid_type': {
      const found = at(value, path);
      const message =
        found === undefined
          ? `${describePath(path.slice(0, -1))}"${String(path.at(-1))}" is missing, expected ${issue.expected}`
          : `${where}found ${describe(found)}, expected ${issue.expected}`;
      return [{ path: found === undefined ? path.slice(0, -1) : path, at: 'value', message }];
    }
    case 'invalid_value':
      return [
        {
          path,
          at: 'value',
          message: `${where}found ${describe(at(value, path))}, expected ${issue.values.map(String).join(' or ')}${didYouMean(String(at(value, path)), issue.values.map(String))}`,
        },
      ];
    case 'invalid_format':
      return [
        {
          path,
          at: 'value',
          message: `${where}found ${describe(at(value, path))}, expected ${issue.message.startsWith('Invalid') ? 'another form' : issue.message}`,
        },
      ];
    default:
      return [{ path, at: 'value', message: `${where}found ${describe(at(value, path))}: ${issue.message}` }];
  }
}

function expectedOf(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const names = issue.errors.flatMap((issues) =>
    issues.flatMap((inner) =>
      inner.code === 'invalid_type' ? [inner.expected === 'record' ? 'object' : inner.expected] : [],
    ),
  );
  return [...new Set(names)].join(' or ') || 'another value';
}

function describePath(path: Path): string {
  if (path.length === 0) return '';
  const text = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
  return `${text}: `;
}

/** A foreign value as a short text: type and beginning. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  const text = String(value);
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}

function at(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

/** The fields a strict object at this path knows, of every alternative. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let level: z.core.$ZodType[] = unwrap(schema);
  for (const part of path) {
    level = level.flatMap((one) => {
      const def = (one as z.ZodType).def as unknown as Record<string, unknown>;
      if (def.type === 'object') {
        const inner = (def.shape as Record<string, z.core.$ZodType>)[String(part)];
        return inner === undefined ? [] : unwrap(inner);
      }
      if (def.type === 'array') return unwrap(def.element as z.core.$ZodType);
      if (def.type === 'record') return unwrap(def.valueType as z.core.$ZodType);
      return [];
    });
  }
  return level.flatMap((one) => {
    const def = (one as z.ZodType).def as unknown as Record<string, unknown>;
    return def.type === 'object' ? Object.keys(def.shape as object) : [];
  });
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const def = (schema as z.ZodType).def as unknown as Record<string, unknown>;
  if (def.innerType !== undefined) return unwrap(def.innerType as z.core.$ZodType);
  if (def.type === 'union') return (def.options as z.core.$ZodType[]).flatMap(unwrap);
  return [schema];
}
