/** Every message: sent, waiting, given up or dropped, with its reason, drawn as it would be sent now. */

import { publicId } from '../domain/incident.js';
import type { NotificationState } from '../domain/notification.js';
import { clean, cut } from '../render/neutralise.js';
import type { OutboxItem } from '../store/outbox-view.js';
import { renderPage } from './layout.js';
import { Badge, cleanBlock, SeverityBadge, Time, type Tone } from './text.js';

export type OutboxProps = {
  readonly items: readonly { readonly notification: OutboxItem; readonly message: string | null }[];
  /** Receivers that do not simply work, a sentence each. */
  readonly troubles: readonly string[];
  readonly nowMs: number;
};

const STATE: Readonly<Record<NotificationState, { readonly mark: string; readonly tone: Tone }>> = {
  queued: { mark: '◷', tone: 'warning' },
  sending: { mark: '→', tone: 'warning' },
  sent: { mark: '✓', tone: 'ok' },
  dead: { mark: '✗', tone: 'critical' },
  dropped: { mark: '∅', tone: 'muted' },
  withheld: { mark: '⏸', tone: 'warning' },
};

/** Would have been sent. */
const SHADOWED = { mark: '◌', tone: 'unknown' } as const;

/** The page at `/outbox`. */
export function renderOutboxPage({ items, troubles, nowMs }: OutboxProps): string {
  // A card is redrawn with every change: unfolded, its newest alone says all that the older ones would.
  const drawn = new Set<string>();
  const isNewest = ({ incidentId, receiver, purpose }: OutboxItem) => {
    const key = JSON.stringify([incidentId, receiver, purpose]);
    if (drawn.has(key)) return false;
    drawn.add(key);
    return true;
  };
  const waiting = items.filter(({ notification }) => notification.state === 'queued').length;
  return renderPage({
    title: waiting === 0 ? 'Outbox' : `(${waiting}) Outbox`,
    section: 'outbox',
    refreshSeconds: 30,
    children: (
      <>
        <h1>Outbox</h1>
        <p class="muted">
          The newest messages to pagers, Slack and webhooks. A row holds no text: it is drawn from the
          incident when it is sent, so what stands here is what would be sent now.
        </p>
        {troubles.map((trouble) => (
          <p key={trouble} class="notice" role="alert">
            ✗ {cut(clean(trouble), 400)}
          </p>
        ))}
        {items.length === 0 ? (
          <div class="card">
            <p class="big">Nothing was sent and nothing waits.</p>
            <p>
              A critical alert makes a page and a card, a warning makes a card. To see them, run{' '}
              <code>npm run wakewell -- fire LLMHighTTFT</code>.
            </p>
          </div>
        ) : (
          items.map(({ notification, message }) => (
            <Message
              key={notification.id}
              notification={notification}
              message={message}
              open={
                isNewest(notification) && (notification.purpose === 'page' || notification.purpose === 'card')
              }
              nowMs={nowMs}
            />
          ))
        )}
      </>
    ),
  });
}

function Message({
  notification,
  message,
  open,
  nowMs,
}: {
  readonly notification: OutboxItem;
  readonly message: string | null;
  readonly open: boolean;
  readonly nowMs: number;
}) {
  const { mark, tone } = notification.shadow ? SHADOWED : STATE[notification.state];
  const state = notification.shadow ? 'shadow' : notification.state;
  return (
    <section class="card">
      <div class="row spread">
        <span>
          <Badge tone={tone}>
            {mark} {state.toUpperCase()}
          </Badge>{' '}
          <strong>
            {notification.purpose.replaceAll('_', ' ')} → {clean(notification.receiver)}
          </strong>
        </span>
        <a href={`/i/${notification.incidentId}`}>{publicId(notification.incidentId)}</a>
      </div>
      <p class="small muted">
        <SeverityBadge severity={notification.severity} /> {cut(clean(notification.alertName), 80)} ·{' '}
        {notification.finishedAtMs === null ? (
          <>
            due <Time atMs={notification.dueAtMs} nowMs={nowMs} />
          </>
        ) : (
          <>
            {state} <Time atMs={notification.finishedAtMs} nowMs={nowMs} />
          </>
        )}
        {notification.attempts === 0
          ? ''
          : ` · ${notification.attempts} ${notification.attempts === 1 ? 'attempt' : 'attempts'}`}
        {notification.lastReason === null ? '' : ` · ${cut(clean(notification.lastReason), 300)}`}
      </p>
      {message === null ? (
        <p class="muted">
          It can no longer be drawn: its incident is gone, or its receiver is not configured any more.
        </p>
      ) : (
        <details open={open}>
          <summary class="small">the message</summary>
          <pre>
            <code>{cleanBlock(message)}</code>
          </pre>
        </details>
      )}
    </section>
  );
}
