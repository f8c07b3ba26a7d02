/** Our words for what zod found: one fault a mistake, with its path, what was expected and the nearest known word. */

import type { z } from 'zod';
import { describeValue } from './fields.js';
import { didYouMean } from './suggest.js';
import type { Path } from './yaml-file.js';

export type PathFault = { readonly path: Path; readonly message: string };

/** `value` is what was parsed, for quoting. Never throws. */
export function faultsOf(error: z.ZodError, schema: z.ZodType, value: unknown): PathFault[] {
  return error.issues.flatMap((issue): PathFault[] => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    const found = at(value, path);
    switch (issue.code) {
      case 'unrecognized_keys': {
        const known = knownKeys(schema, path, value);
        return issue.keys.map((key) => ({
          path: [...path, key],
          message: `${prefix(path)}unknown field "${key}"${didYouMean(key, known)} (known: ${known.join(', ')})`,
        }));
      }
      case 'invalid_value': {
        const words = issue.values.map(String);
        return [
          {
            path,
            message: `${prefix(path)}found ${describeValue(found)}, expected ${words.join(', ')}${didYouMean(String(found ?? ''), words)}`,
          },
        ];
      }
      case 'invalid_union': {
        if (issue.errors.length > 0) return faultsOfMeant(issue, schema, value, found);
        const kinds = discriminatorValues(schema, path);
        return [
          {
            path,
            message: `${prefix(path)}found ${describeValue(found)}, expected ${kinds.join(', ')}${didYouMean(String(found ?? ''), kinds)}`,
          },
        ];
      }
      case 'invalid_type': {
        const expected =
          issue.expected === 'array' ? 'a list' : issue.expected === 'string' ? 'text' : 'a map';
        return [{ path, message: `${prefix(path)}found ${describeValue(found)}, expected ${expected}` }];
      }
      case 'too_small':
        return [{ path, message: `${prefix(path)}found an empty list, expected at least one` }];
      default:
        return [{ path, message: `${prefix(path)}${issue.message}` }];
    }
  });
}

/** Of alternatives that no word tells apart (one, or a list of them), the mistake is in the one that was written. */
function faultsOfMeant(
  issue: z.core.$ZodIssueInvalidUnion,
  schema: z.ZodType,
  value: unknown,
  found: unknown,
): PathFault[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const meant = issue.errors.find(
    (inner) => !inner.some((one) => one.code === 'invalid_type' && one.path.length === 0),
  );
  if (meant === undefined)
    return [{ path, message: `${prefix(path)}found ${describeValue(found)}, expected a map or a list` }];
  const issues = meant.map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
  return faultsOf({ issues } as z.ZodError, schema, value);
}

/** `receivers[0].url: `, or nothing at the top. */
function prefix(path: Path): string {
  const text = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
  return text === '' ? '' : `${text}: `;
}

function at(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

type Definition = {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
};

function definition(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition;
}

/** Optional and default wrappers off, alternatives spread. */
function unwrap(schema: z.ZodType): z.ZodType[] {
  const { innerType, options, type } = definition(schema);
  if (innerType !== undefined) return unwrap(innerType);
  return type === 'union' ? (options ?? []).flatMap(unwrap) : [schema];
}

function step(schema: z.ZodType, part: string | number): z.ZodType[] {
  const { shape, element, valueType } = definition(schema);
  const next = shape?.[String(part)] ?? element ?? valueType;
  return next === undefined ? [] : unwrap(next);
}

function knownKeys(schema: z.ZodType, path: Path, value: unknown): string[] {
  const kind = at(value, [...path, 'kind']);
  const objects = path
    .reduce((level: z.ZodType[], part) => level.flatMap((one) => step(one, part)), unwrap(schema))
    .map((one) => definition(one).shape ?? {});
  // Of alternatives told apart by `kind`, only the fields of the kind that was written are worth naming.
  const meant = objects.filter(
    (shape) => shape.kind !== undefined && definition(shape.kind).values?.includes(kind),
  );
  return [...new Set((meant.length > 0 ? meant : objects).flatMap((shape) => Object.keys(shape)))];
}

function discriminatorValues(schema: z.ZodType, path: Path): string[] {
  const field = String(path.at(-1));
  return path
    .slice(0, -1)
    .reduce((level: z.ZodType[], part) => level.flatMap((one) => step(one, part)), unwrap(schema))
    .flatMap((one) => {
      const inner = definition(one).shape?.[field];
      return inner === undefined ? [] : (definition(inner).values ?? []).map(String);
    });
}
