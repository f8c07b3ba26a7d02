/** Why somebody was woken, or was not: the reasons by topic, each with what it came to here. */

import { type Explanation, REASON_TOPICS, REASONS, type ReasonTopic } from '../domain/reasons.js';
import { clean, cut } from '../render/neutralise.js';
import { Time } from './text.js';

const TITLES: Readonly<Record<ReasonTopic, string>> = {
  routing: 'Who was chosen',
  together: 'What belongs together',
  paged: 'Why you were paged',
  not_paged: 'Why you were not paged',
  told: 'Who was told otherwise',
};

export function ExplainCard({
  explanation,
  nowMs,
}: {
  readonly explanation: Explanation;
  readonly nowMs: number;
}) {
  const { paged, summary, reasons } = explanation;
  return (
    <section class="card" id="why">
      <h2>{paged ? 'Why you were paged' : 'Why you were not paged'}</h2>
      <p>{cut(clean(summary), 400)}</p>
      <details>
        <summary>All {reasons.length} reasons</summary>
        {REASON_TOPICS.map((topic) => {
          const own = reasons.filter(({ code }) => REASONS[code].topic === topic);
          if (own.length === 0) return null;
          return (
            <div key={topic}>
              <h3>{TITLES[topic]}</h3>
              <ul class="small">
                {own.map(({ code, detail, atMs, receiver }) => (
                  <li key={`${code} ${String(atMs)} ${receiver ?? ''} ${detail}`}>
                    {atMs === null ? null : (
                      <>
                        <Time atMs={atMs} nowMs={nowMs} />{' '}
                      </>
                    )}
                    {cut(clean(detail), 400)} <span class="muted">· {REASONS[code].says}</span>
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
      </details>
    </section>
  );
}
