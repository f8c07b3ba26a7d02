/**
 * A server in place of Loki that holds log lines and answers metric range queries over them as Loki 3 does: POST or GET
 * /loki/api/v1/query_range, LogQL `sum(count_over_time({selector} |~ "re2" [range]))`, plain-text errors, empty results
 * where no line matches.
 */

import { type FakeServer, startHttpFake } from './http-fake.js';

export type LogLine = {
  readonly atMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly line: string;
};

export type FakeLoki = FakeServer & { readonly asked: () => readonly string[] };

const LOGQL = /^sum\(count_over_time\(\{(.*?)\}(?: \|~ ("(?:[^"\\]|\\.)*"))? \[(\d+)s\]\)\)$/;

export async function startFakeLoki(
  lines: readonly LogLine[],
  options: { readonly tenant?: string } = {},
): Promise<FakeLoki> {
  const asked: string[] = [];
  const text = (status: number, body: string) => ({
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body,
  });
  const server = await startHttpFake(({ path, method, headers, body }) => {
    if (path !== '/loki/api/v1/query_range' || method !== 'POST') return text(404, '404 page not found');
    if (options.tenant !== undefined && headers['x-scope-orgid'] !== options.tenant)
      return text(401, 'no org id');
    const form = new URLSearchParams(body);
    const query = form.get('query') ?? '';
    asked.push(query);
    const [, selector = '', pattern, seconds = '0'] = LOGQL.exec(query) ?? [];
    const matchers = [...selector.matchAll(/([a-zA-Z_]\w*)=("(?:[^"\\]|\\.)*")(?:,|$)/g)];
    // Loki refuses a selector that could match everything.
    if (matchers.length === 0)
      return text(400, 'parse error : queries require at least one regexp or equality matcher');
    const wanted = matchers.map(
      ([, name = '', value = '""']) => [name, JSON.parse(value) as string] as const,
    );
    const plain = pattern === undefined ? '' : (JSON.parse(pattern) as string);
    const flags = /^\(\?([ims]+)\)/.exec(plain)?.[1] ?? '';
    const test = new RegExp(plain.replace(/^\(\?[ims]+\)/, ''), flags);
    const endMs = Number(form.get('end')) * 1000;
    const count = lines.filter(
      ({ atMs, labels, line }) =>
        atMs > endMs - Number(seconds) * 1000 &&
        atMs <= endMs &&
        wanted.every(([name, value]) => labels[name] === value) &&
        test.test(line),
    ).length;
    const result = count === 0 ? [] : [{ metric: {}, values: [[endMs / 1000, String(count)]] }];
    return {
      status: 200,
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body: JSON.stringify({
        status: 'success',
        data: { resultType: 'matrix', result, stats: { summary: {} } },
      }),
    };
  });
  return { ...server, asked: () => asked };
}
