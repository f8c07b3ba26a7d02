/** Fills `{step.number}` into texts. No logic, no code: a placeholder is a step (or `scope`) and a name, nothing more. */

/** A placeholder; `${…}` belongs to the shell and is left alone, as are braces that hold anything else. */
const PLACEHOLDER = /(?<!\$)\{([a-z][a-z0-9_]*)\.([a-zA-Z_][a-zA-Z0-9_.-]*)\}/g;
/** What looks like one but lacks its second half. */
const HALF_PLACEHOLDER = /(?<!\$)\{([a-z][a-z0-9_]*)\}/g;

export type Placeholder = { readonly step: string; readonly name: string; readonly text: string };

/** All placeholders of a text, in order. */
export function placeholdersOf(text: string): Placeholder[] {
  return [...text.matchAll(PLACEHOLDER)].map((match) => ({
    step: match[1] ?? '',
    name: match[2] ?? '',
    text: match[0],
  }));
}

/** Placeholders without a dot: mistakes, reported by the loader. */
export function halfPlaceholdersOf(text: string): string[] {
  return [...text.matchAll(HALF_PLACEHOLDER)].map((match) => match[0]);
}

/** A sentence that is left out where a number in it was not seen. */
const OPTIONAL = /\[\[([^[\]]*)\]\]/g;

/**
 * Replaces every placeholder by what `lookup` gives; "not seen" where it gives undefined, and in `[[ ]]` the whole
 * part is then left out. What is filled in is not read again.
 */
export function interpolate(
  text: string,
  lookup: (step: string, name: string) => string | undefined,
): string {
  const kept = text.replace(OPTIONAL, (_all, part: string) =>
    placeholdersOf(part).every(({ step, name }) => lookup(step, name) !== undefined) ? part : '',
  );
  return kept.replace(PLACEHOLDER, (_all, step: string, name: string) => lookup(step, name) ?? 'not seen');
}

/** As `interpolate`, for a shell command: what is filled in is quoted unless it is plainly harmless. Unseen → `<step.name>`. */
export function interpolateCommand(
  text: string,
  lookup: (step: string, name: string) => string | undefined,
): string {
  return text.replace(PLACEHOLDER, (_all, step: string, name: string) => {
    const value = lookup(step, name);
    return value === undefined ? `<${step}.${name}>` : shellQuoted(value);
  });
}

/** Label values come from outside and a command is pasted into a shell. Control characters are dropped. */
export function shellQuoted(value: string): string {
  if (/^[A-Za-z0-9._:/@%+,-]+$/.test(value) && !value.startsWith('-')) return value;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  const plain = value.replace(/[\u0000-\u001f\u007f]+/g, ' ').toWellFormed();
  return `'${plain.replaceAll("'", `'\\''`)}'`;
}
