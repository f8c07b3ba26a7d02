/** The list: what needs a human first, two lines an incident (symptom, cause). */

import { INCIDENT_STATES, type IncidentState, publicId } from '../domain/incident.js';
import { placeOf } from '../domain/scope.js';
import { compareSeverity, SEVERITIES, type Severity } from '../domain/severity.js';
import { minutesBetween } from '../render/duration.js';
import { clean, cut } from '../render/neutralise.js';
import type { IncidentListItem } from '../store/incident-history.js';
import { renderPage } from './layout.js';
import { Badge, stateOf, Time } from './text.js';

export type IncidentListProps = {
  readonly items: readonly IncidentListItem[];
  readonly recentlyResolved: readonly IncidentListItem[];
  readonly counts: Readonly<Record<IncidentState, number>>;
  readonly query: {
    readonly state?: readonly IncidentState[];
    readonly severity?: Severity;
    readonly alertName?: string;
    readonly q?: string;
    readonly limit: number;
    readonly cursor?: string;
  };
  readonly nextCursor: string | null;
  readonly nowMs: number;
};

const REFRESH_SECONDS = 30;

/** The page at `/` and `/incidents`. */
export function renderIncidentList(props: IncidentListProps): string {
  const { items, recentlyResolved, counts, query, nextCursor, nowMs } = props;
  const filtered = isFiltered(query);
  const active = counts.open + counts.acknowledged;
  const worst = [...items].sort(byNeed)[0];
  const tone = active === 0 || worst === undefined ? 'ok' : stateOf(worst).tone;
  const sorted = filtered ? items : [...items].sort(byNeed);
  return renderPage({
    title: active === 0 ? '✓ Wakewell: nothing open' : `(${active}) Wakewell`,
    section: 'incidents',
    tone,
    // A search that is being typed must not be lost.
    ...(filtered ? {} : { refreshSeconds: REFRESH_SECONDS }),
    children: (
      <>
        <h1>Incidents</h1>
        <Tabs counts={counts} query={query} filtered={filtered} />
        <Search query={query} />
        {sorted.length > 0 ? (
          <Rows items={sorted} nowMs={nowMs} />
        ) : (
          <Empty filtered={filtered} everHadOne={active + counts.resolved > 0} />
        )}
        {nextCursor === null ? null : (
          <p>
            <a class="button" href={`/incidents?${nextQuery(query, nextCursor)}`}>
              Older incidents
            </a>
          </p>
        )}
        {recentlyResolved.length === 0 ? null : (
          <section aria-label="Recently resolved">
            <h2>Recently resolved</h2>
            <Rows items={recentlyResolved} nowMs={nowMs} />
          </section>
        )}
      </>
    ),
  });
}

function isFiltered(query: IncidentListProps['query']): boolean {
  return [query.state, query.severity, query.alertName, query.q, query.cursor].some(
    (part) => part !== undefined,
  );
}

/** Unacknowledged before acknowledged, critical before warning, then the newest. */
function byNeed(a: IncidentListItem, b: IncidentListItem): number {
  const state = INCIDENT_STATES.indexOf(a.state) - INCIDENT_STATES.indexOf(b.state);
  const severity = compareSeverity(b.severity, a.severity);
  const resolved = Number(a.state === 'resolved') - Number(b.state === 'resolved');
  return resolved || severity || state || b.openedAtMs - a.openedAtMs;
}

function Tabs({
  counts,
  query,
  filtered,
}: Pick<IncidentListProps, 'counts' | 'query'> & { readonly filtered: boolean }) {
  const state = query.state?.join(',');
  const tabs = [
    { href: '/incidents', label: 'Needs a human', current: !filtered },
    { href: '/incidents?state=open', label: `Open ${counts.open}`, current: state === 'open' },
    {
      href: '/incidents?state=acknowledged',
      label: `Acked ${counts.acknowledged}`,
      current: state === 'acknowledged',
    },
    {
      href: '/incidents?state=resolved',
      label: `Resolved ${counts.resolved}`,
      current: state === 'resolved',
    },
    { href: '/incidents?limit=50', label: 'All', current: false },
  ];
  return (
    <ul class="tabs">
      {tabs.map(({ href, label, current }) => (
        <li key={href}>
          <a href={href} {...(current ? { 'aria-current': 'page' as const } : {})}>
            {label}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Search({ query }: Pick<IncidentListProps, 'query'>) {
  return (
    <form class="search" method="get" action="/incidents">
      <input
        type="search"
        name="q"
        value={query.q ?? ''}
        placeholder="INC-412, a model, a cause …"
        aria-label="Search incidents"
      />
      <select name="severity" aria-label="Severity">
        <option value="">any severity</option>
        {SEVERITIES.map((severity) => (
          <option key={severity} value={severity} selected={severity === query.severity}>
            {severity}
          </option>
        ))}
      </select>
      <button type="submit" class="quiet">
        Search
      </button>
    </form>
  );
}

function Rows({ items, nowMs }: { readonly items: readonly IncidentListItem[]; readonly nowMs: number }) {
  return (
    <ul class="list">
      {items.map((item) => {
        const { mark, word, tone } = stateOf(item);
        const resolved = item.state === 'resolved';
        const endMs = item.resolvedAtMs ?? nowMs;
        return (
          <li key={item.id}>
            <a href={`/i/${item.id}`}>
              <span class="row spread">
                <span>
                  <Badge tone={tone}>
                    {mark} {word}
                  </Badge>{' '}
                  <span class="muted">{publicId(item.id)}</span>
                </span>
                <span class="muted small">
                  {resolved ? 'lasted ' : ''}
                  {minutesBetween(item.openedAtMs, endMs)} · <Time atMs={item.openedAtMs} nowMs={nowMs} />
                </span>
              </span>
              <span class="row">
                <span class="what">{cut(clean(item.alertName), 80)}</span>
                <span class="muted">{cut(clean(placeOf(item.scope)), 60)}</span>
              </span>
              <span class="small muted">
                {item.verdictSays === null ? 'not diagnosed yet' : cut(clean(item.verdictSays), 140)}
                {item.alertCount > 1 ? ` · ${item.alertCount} alerts` : ''}
                {who(item)}
              </span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

function who(item: IncidentListItem): string {
  if (item.acknowledgedBy !== null) return ` · acked by ${cut(clean(item.acknowledgedBy), 30)}`;
  return item.state === 'open' ? ' · not acked' : '';
}

function Empty({ filtered, everHadOne }: { readonly filtered: boolean; readonly everHadOne: boolean }) {
  if (filtered) {
    return (
      <div class="card">
        <p class="big">No incident fits this filter.</p>
        <p>
          Look at <a href="/incidents?limit=50">all incidents</a>, or search for a part of a model's,
          cluster's or alert's name.
        </p>
      </div>
    );
  }
  return (
    <div class="card edge-ok">
      <p class="big">
        <Badge tone="ok">✓</Badge> Nothing is open.
      </p>
      {everHadOne ? null : (
        <>
          <p>No alert has arrived yet. To see one:</p>
          <pre>
            <code>npm run wakewell -- fire LLMHighTTFT</code>
          </pre>
          <p>
            Then point Alertmanager here: a <code>webhook_configs</code> receiver with the address{' '}
            <code>/api/v1/alertmanager</code> of this service.
          </p>
        </>
      )}
    </div>
  );
}

function nextQuery(query: IncidentListProps['query'], cursor: string): string {
  const next = new URLSearchParams({ cursor, limit: String(query.limit) });
  if (query.state !== undefined) next.set('state', query.state.join(','));
  if (query.severity !== undefined) next.set('severity', query.severity);
  if (query.alertName !== undefined) next.set('alertname', query.alertName);
  if (query.q !== undefined) next.set('q', query.q);
  return next.toString();
}
