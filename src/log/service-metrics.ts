/** The service's own metrics. Label values are bounded: receivers come from the configuration, the rest from closed lists. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

type ReceiverTrouble = { readonly account: string; readonly failing: { readonly reason: string } | null };

export type ServiceMetrics = ReturnType<typeof createServiceMetrics>;

/** One registry an app, so that two apps in one process do not mix. */
export function createServiceMetrics() {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Counter({
    name: 'wakewell_intake_requests_total',
    help: 'Webhook calls by HTTP status',
    labelNames: ['code'],
    registers,
  });
  const callbacks = new Counter({
    name: 'wakewell_callbacks_total',
    help: 'Signed calls of Slack and PagerDuty by HTTP status; 401: the secret that was configured does not fit',
    labelNames: ['provider', 'code'],
    registers,
  });
  const commits = new Histogram({
    name: 'wakewell_intake_commit_seconds',
    help: 'Duration of one intake transaction',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const alerts = new Counter({
    name: 'wakewell_alerts_total',
    help: 'Alerts by what became of them at intake',
    labelNames: ['outcome'],
    registers,
  });
  const failedCommits = new Counter({
    name: 'wakewell_intake_failed_total',
    help: 'Webhook calls that could not be committed and were answered 503',
    registers,
  });
  const deliveries = new Counter({
    name: 'wakewell_deliveries_total',
    help: 'Delivery attempts by receiver, purpose, outcome and reason',
    labelNames: ['receiver', 'purpose', 'outcome', 'reason'],
    registers,
  });
  const climbs = new Counter({
    name: 'wakewell_ladder_climbs_total',
    help: 'Pages that a receiver refused or did not accept in time and that went to the next rung of its ladder',
    labelNames: ['receiver'],
    registers,
  });
  const directPages = new Counter({
    name: 'wakewell_break_glass_pages_total',
    help: 'Pages tried without the database, by receiver; bundled: more than a pager is sent in an hour',
    labelNames: ['receiver', 'outcome'],
    registers,
  });
  let receiverTroubles: () => readonly ReceiverTrouble[] = () => [];
  new Gauge({
    name: 'wakewell_receiver_failing',
    help: '1 while a receiver accepts nothing, by the class of its last failure; auth: its credentials are refused',
    labelNames: ['receiver', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { account, failing } of receiverTroubles()) {
        if (failing !== null) this.set({ receiver: account, reason: failing.reason }, 1);
      }
    },
  });
  const pageAge = new Histogram({
    name: 'wakewell_accept_to_page_seconds',
    help: 'From the webhook to the acceptance of a page',
    buckets: [0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 10, 15, 30, 60],
    registers,
  });

  const comparisons = new Counter({
    name: 'wakewell_reconcile_total',
    help: 'Comparisons with Alertmanager by how much of it was known',
    labelNames: ['outcome'],
    registers,
  });
  const disagreements = new Counter({
    name: 'wakewell_reconcile_alerts_total',
    help: 'Alerts on which Alertmanager and we did not agree: gone there, or never arrived here',
    labelNames: ['kind'],
    registers,
  });
  const lastComplete = new Gauge({
    name: 'wakewell_reconcile_last_complete_timestamp_seconds',
    help: 'When everything that Alertmanager holds was last known',
    registers,
  });

  const shadowMode = new Gauge({
    name: 'wakewell_shadow_mode',
    help: '1 while everything is decided and nothing is sent',
    registers,
  });

  return {
    registry,
    setShadow(shadow: boolean): void {
      shadowMode.set(shadow ? 1 : 0);
    },
    reconcile: {
      reconciled(result: {
        readonly outcome: string;
        readonly gone: number;
        readonly found: number;
        readonly atMs: number;
      }): void {
        comparisons.inc({ outcome: result.outcome });
        disagreements.inc({ kind: 'gone' }, result.gone);
        disagreements.inc({ kind: 'found' }, result.found);
        if (result.outcome === 'complete') lastComplete.set(result.atMs / 1000);
      },
    },
    webhook: {
      answered(code: number): void {
        requests.inc({ code: String(code) });
      },
    },
    callbacks: {
      answered(provider: 'slack' | 'pagerduty', code: number): void {
        callbacks.inc({ provider, code: String(code) });
      },
    },
    intake: {
      committed(batch: {
        readonly alerts: number;
        readonly quarantined: number;
        readonly tookMs: number;
      }): void {
        commits.observe(batch.tookMs / 1000);
        alerts.inc({ outcome: 'accepted' }, batch.alerts);
        alerts.inc({ outcome: 'quarantined' }, batch.quarantined);
      },
      failed(count: number): void {
        failedCommits.inc(count);
      },
    },
    breakGlass: {
      direct(receiver: string, outcome: string): void {
        directPages.inc({ receiver, outcome });
      },
    },
    /** The outbox is asked for its troubles whenever somebody reads the metrics. */
    watchReceivers(troubles: () => readonly ReceiverTrouble[]): void {
      receiverTroubles = troubles;
    },
    outbox: {
      climbed(receiver: string): void {
        climbs.inc({ receiver });
      },
      observe(one: {
        readonly receiver: string;
        readonly purpose: string;
        readonly outcome: string;
        readonly reason: string | null;
        readonly ageMs: number;
      }): void {
        const { receiver, purpose, outcome } = one;
        deliveries.inc({ receiver, purpose, outcome, reason: one.reason ?? '' });
        if (purpose === 'page' && outcome === 'sent') pageAge.observe(one.ageMs / 1000);
      },
    },
  };
}
