/** The sources of metrics: one, or several of which an alert's labels choose. */

import { resolve } from 'node:path';
import type { ConfigFile, PrometheusEntry } from './config-file.js';
import type { Secret } from './secret.js';
import { didYouMean } from './suggest.js';
import type { Path } from './yaml-file.js';

export type PrometheusConfig = {
  readonly name: string;
  readonly url: string;
  /** Scope labels that exist only outside of it: they choose it, and stay out of what it is asked. */
  readonly externalLabels: Readonly<Record<string, string>>;
  /** Matchers in Alertmanager's syntax on scope labels that choose it and that its series carry as well. */
  readonly match: readonly string[];
  readonly bearerToken?: Secret;
  readonly basicAuth?: { readonly username: string; readonly password: Secret };
  /** Certificate authority of its TLS, PEM; absolute. */
  readonly caFile?: string;
  readonly headers: Readonly<Record<string, string>>;
};

const ONLY = 'prometheus';

type Fault = (path: Path, message: string) => void;

/** What no shape can say: names that are there and differ, labels that an incident knows, and a way to choose. */
export function checkPrometheus(
  prometheus: ConfigFile['prometheus'],
  scopeLabels: readonly string[],
  checkMatcher: ((text: string) => string | null) | undefined,
  fault: Fault,
): void {
  const listed = Array.isArray(prometheus);
  const entries = entriesOf(prometheus);
  const names = entries.map(({ name }) => name);
  entries.forEach((entry, index) => {
    const path: Path = listed ? ['prometheus', index] : ['prometheus'];
    const where = listed ? `prometheus[${index}]` : 'prometheus';
    if (listed && entry.name === undefined) fault(path, `${where}: found no name, expected one`);
    if (listed && entry.url === undefined) fault(path, `${where}: found no url, expected one`);
    if (entry.name !== undefined && names.indexOf(entry.name) < index)
      fault([...path, 'name'], `${where}: a second source called "${entry.name}"`);
    for (const label of Object.keys(entry.external_labels ?? {})) {
      if (scopeLabels.includes(label)) continue;
      fault(
        [...path, 'external_labels', label],
        `${where}.external_labels: "${label}" is none of scope_labels${didYouMean(label, scopeLabels)} (known: ${scopeLabels.join(', ')})`,
      );
    }
    (entry.match ?? []).forEach((text, position) => {
      const wrong = checkMatcher?.(text) ?? null;
      if (wrong !== null) fault([...path, 'match', position], `${where}.match: ${wrong}`);
    });
    const chooses = Object.keys(entry.external_labels ?? {}).length + (entry.match ?? []).length > 0;
    if (entries.length > 1 && !chooses)
      fault(path, `${where}: of several sources each is chosen by external_labels or match`);
  });
}

/** In the order in which they are written; those without an address are none. */
export function prometheusSources(
  prometheus: ConfigFile['prometheus'],
  directory: string,
): PrometheusConfig[] {
  return entriesOf(prometheus).flatMap((entry) => {
    const { url, bearer_token: bearerToken, basic_auth: basicAuth, ca_file: caFile } = entry;
    if (url === undefined) return [];
    return [
      {
        name: entry.name ?? ONLY,
        url,
        externalLabels: entry.external_labels ?? {},
        match: entry.match ?? [],
        ...(bearerToken === undefined ? {} : { bearerToken }),
        ...(basicAuth === undefined ? {} : { basicAuth }),
        ...(caFile === undefined ? {} : { caFile: resolve(directory, caFile) }),
        headers: entry.headers ?? {},
      },
    ];
  });
}

function entriesOf(prometheus: ConfigFile['prometheus']): readonly PrometheusEntry[] {
  if (prometheus === undefined) return [];
  return Array.isArray(prometheus) ? prometheus : [prometheus];
}
