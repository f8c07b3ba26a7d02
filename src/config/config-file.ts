/** The shape of `wakewell.yaml`: strict, so that a typo is a fault and not a setting that quietly does nothing. */

import { z } from 'zod';
import {
  Age,
  Count,
  DatabaseUrl,
  Duration,
  FiniteNumber,
  Flag,
  Host,
  HttpUrl,
  HttpUrls,
  LabelName,
  Moment,
  Name,
  Port,
  PositiveNumber,
  Schedule,
  secretField,
  Text,
  TimeOfDay,
  TimeZone,
  Weekday,
} from './fields.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** shadow: everything is decided and shown, nothing leaves the process. */
export const MODES = ['live', 'shadow'] as const;
export const SEVERITY_WORDS = ['critical', 'warning', 'info'] as const;

export const RoutingKey = secretField("the integration key of a PagerDuty service's Events API v2", {
  minChars: 8,
});
export const SlackToken = secretField('a bot token (xoxb-…)', { minChars: 8, shape: /^xox[a-z]-/ });
export const SigningSecret = secretField('the signing secret that the provider shows', { minChars: 16 });
/** 16 characters is what a person can still paste and a guesser cannot try. */
export const AccessToken = secretField(
  'at least 16 random characters, for example of `openssl rand -hex 32`',
  {
    minChars: 16,
  },
);
const Credential = secretField('a credential', { minChars: 1 });
const WebhookUrl = secretField('an address with http or https', {
  minChars: 8,
  shape: /^https?:\/\/[^\s@]+$/,
});

const ReceiverEntry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pagerduty'),
    name: Name,
    routing_key: RoutingKey,
    events_url: HttpUrl.optional(),
    events_per_minute: Count.optional(),
    ladder: z.array(Name).optional(),
    signing_secrets: z.array(SigningSecret).optional(),
  }),
  z.strictObject({
    kind: z.literal('slack'),
    name: Name,
    bot_token: SlackToken,
    channel: Text,
    api_url: HttpUrl.optional(),
    mention: Text.optional(),
    signing_secret: SigningSecret.optional(),
    app_id: Text.optional(),
    teams: z.array(Text).optional(),
  }),
  z.strictObject({ kind: z.literal('webhook'), name: Name, url: WebhookUrl, secret: Credential.optional() }),
  z.strictObject({ kind: z.literal('log'), name: Name }),
]);
export type ReceiverEntry = z.output<typeof ReceiverEntry>;

const TokenEntry = z.strictObject({ name: Name, token: AccessToken });

const PrometheusEntry = z.strictObject({
  name: Name.optional(),
  url: HttpUrl.optional(),
  external_labels: z.record(z.string(), Text).optional(),
  match: z.array(Text).optional(),
  bearer_token: Credential.optional(),
  basic_auth: z.strictObject({ username: Text, password: Credential }).optional(),
  ca_file: Text.optional(),
  headers: z.record(z.string(), Text).optional(),
});
export type PrometheusEntry = z.output<typeof PrometheusEntry>;

export const ConfigFile = z.strictObject({
  host: Host.optional(),
  port: Port.optional(),
  public_url: HttpUrl.optional(),
  url: HttpUrl.optional(),
  database_url: DatabaseUrl.optional(),
  log_level: z.enum(LOG_LEVELS).optional(),
  mode: z.enum(MODES).optional(),
  time_scale: PositiveNumber.optional(),
  prometheus: z.union([z.array(PrometheusEntry).min(1), PrometheusEntry]).optional(),
  loki: z
    .strictObject({
      url: HttpUrl,
      bearer_token: Credential.optional(),
      basic_auth: z.strictObject({ username: Text, password: Credential }).optional(),
      headers: z.record(z.string(), Text).optional(),
      labels: z.record(LabelName, LabelName).optional(),
    })
    .optional(),
  alertmanager: z
    .strictObject({
      url: HttpUrls.optional(),
      receiver: Text.optional(),
      source: Name.optional(),
      bearer_token: Credential.optional(),
      basic_auth: z.strictObject({ username: Text, password: Credential }).optional(),
      headers: z.record(z.string(), Text).optional(),
    })
    .optional(),
  scope_labels: z.array(LabelName).optional(),
  severity_mapping: z.record(z.string(), z.enum(SEVERITY_WORDS)).optional(),
  receivers: z.array(ReceiverEntry).optional(),
  routes: z
    .array(
      z.strictObject({
        matchers: z.array(Text).optional(),
        receivers: z.array(Name),
        continue: Flag.optional(),
      }),
    )
    .optional(),
  maintenance: z
    .array(
      z.strictObject({
        matchers: z.array(Text),
        comment: Text,
        from: Moment.optional(),
        until: Moment.optional(),
        weekly: z
          .strictObject({
            days: z.array(Weekday),
            at: TimeOfDay,
            for: Duration,
            timezone: TimeZone.optional(),
          })
          .optional(),
      }),
    )
    .optional(),
  thresholds: z.record(z.string(), FiniteNumber).optional(),
  slo: z.record(z.string(), PositiveNumber).optional(),
  playbooks: z.array(Text).optional(),
  engines: z.array(Text).optional(),
  tokens: z
    .strictObject({ webhook: z.array(TokenEntry).optional(), api: z.array(TokenEntry).optional() })
    .optional(),
  backup: z
    .strictObject({ schedule: Schedule.optional(), directory: Text.optional(), keep: Count.optional() })
    .optional(),
  retention: z
    .strictObject({
      incidents: Age.optional(),
      recordings: Age.optional(),
      receipts: Age.optional(),
    })
    .optional(),
  dead_man: z.strictObject({ url: WebhookUrl, interval: Duration.optional() }).optional(),
  escalation_targets: z.record(z.string(), z.array(Name).min(1)).optional(),
  watchdog: z.strictObject({ matchers: z.array(Text).optional(), interval: Duration.optional() }).optional(),
  reminders: z.strictObject({ critical: Duration.optional(), warning: Duration.optional() }).optional(),
  timings: z
    .strictObject({
      page_deadline: Duration.optional(),
      diagnosis: Duration.optional(),
      query: Duration.optional(),
      resolve_hold: Duration.optional(),
      reopen_window: Duration.optional(),
    })
    .optional(),
  page_ceilings: z
    .array(z.strictObject({ pages: Count, within: Duration }))
    .min(1)
    .optional(),
  storm: z
    .strictObject({
      incidents: Count.optional(),
      within: Duration.optional(),
      quiet: Duration.optional(),
      card_every: Duration.optional(),
      page_every: Duration.optional(),
    })
    .optional(),
  flapping: z
    .strictObject({ cycles: Count.optional(), within: Duration.optional(), quiet: Duration.optional() })
    .optional(),
});
export type ConfigFile = z.output<typeof ConfigFile>;
