/** What Slack's errors mean for a delivery. HTTP is 200 for nearly all of them; `ok: false` carries the word. */

import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { SECOND } from '../domain/clock.js';
import { clean, cut, withoutSecrets } from '../render/neutralise.js';
import { type FailedDelivery, outcomeOfStatus, parseRetryAfter, reasonOfError } from './http-outcome.js';

/** Blocks or text that Slack does not take: plain text may still get through. */
const CONTENT_ERRORS = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_too_long',
  'msg_blocks_too_long',
  'invalid_metadata_format',
  'invalid_metadata_schema',
  'metadata_too_large',
  'invalid_attachments',
  'no_text',
]);

/** The message is gone or no longer ours: a new one is posted. */
const GONE_ERRORS = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed']);

const AUTH_ERRORS = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'no_permission',
  'missing_scope',
  'not_allowed_token_type',
  'ekm_access_denied',
  'org_login_required',
  'access_denied',
  'team_access_not_granted',
]);

const PERMANENT_ERRORS = new Set([
  'channel_not_found',
  'not_in_channel',
  'is_archived',
  'restricted_action',
  'restricted_action_read_only_channel',
  'restricted_action_thread_only_channel',
  'restricted_action_non_threadable_channel',
  'thread_not_found',
  'cannot_reply_to_message',
  'invalid_arguments',
  'invalid_arg_name',
  'unknown_method',
  'method_deprecated',
  'method_not_supported_for_channel_type',
  'user_not_found',
  ...CONTENT_ERRORS,
]);

const TRANSIENT_ERRORS = new Set([
  'ratelimited',
  'rate_limited',
  'message_limit_exceeded',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

export type SlackFailure = {
  readonly outcome: FailedDelivery;
  /** Worth saying again as plain text. */
  readonly content: boolean;
  /** The card to update is gone. */
  readonly gone: boolean;
};

/**
 * Classifies what the client threw. A word that is not known is tried once more, since Slack adds words and
 * proxies answer HTML. Never throws; the token cannot appear in the detail.
 */
export function slackFailure(
  error: unknown,
  context: { attempts: number; token: string; nowMs: number },
): SlackFailure {
  const plain = { content: false, gone: false };
  const tell = (text: string) => withoutSecrets(cut(clean(text), 200), [context.token]);
  if (error instanceof WebAPIPlatformError) {
    const word = String(error.data.error);
    const hints = error.data.response_metadata?.messages ?? [];
    const detail = tell([word, ...hints.map(String)].join(' '));
    if (CONTENT_ERRORS.has(word)) {
      return { outcome: { kind: 'dead', reason: 'client_error', detail }, content: true, gone: false };
    }
    if (GONE_ERRORS.has(word)) {
      return { outcome: { kind: 'dead', reason: 'client_error', detail }, content: false, gone: true };
    }
    if (AUTH_ERRORS.has(word)) return { outcome: { kind: 'dead', reason: 'auth', detail }, ...plain };
    if (PERMANENT_ERRORS.has(word))
      return { outcome: { kind: 'dead', reason: 'client_error', detail }, ...plain };
    if (/limit/.test(word) && TRANSIENT_ERRORS.has(word)) {
      return { outcome: { kind: 'retry', reason: 'rate_limited', detail }, ...plain };
    }
    if (TRANSIENT_ERRORS.has(word))
      return { outcome: { kind: 'retry', reason: 'server_error', detail }, ...plain };
    // A proxy's error page is no word of Slack's: it says only that Slack was not reached.
    const known = /^[a-z][a-z0-9_.]*$/.test(word);
    const once = context.attempts <= 1 || !known ? 'retry' : 'dead';
    return { outcome: { kind: once, reason: 'bad_response', detail }, ...plain };
  }
  if (error instanceof WebAPIRateLimitedError) {
    const afterMs = parseRetryAfter(String(error.retryAfter), context.nowMs) ?? SECOND;
    return { outcome: { kind: 'retry', reason: 'rate_limited', detail: 'HTTP 429', afterMs }, ...plain };
  }
  if (error instanceof WebAPIHTTPError) {
    const outcome = outcomeOfStatus(
      error.statusCode,
      `HTTP ${error.statusCode}`,
      error.headers['retry-after'] ?? null,
      context.nowMs,
    );
    // A proxy's 404 or 403 says nothing about our token or channel: Slack itself answers 200.
    return {
      outcome: outcome.kind === 'dead' && context.attempts <= 1 ? { ...outcome, kind: 'retry' } : outcome,
      ...plain,
    };
  }
  const { reason, code } = reasonOfError(error instanceof WebAPIRequestError ? error.original : error);
  if (error instanceof WebAPIRequestError) {
    const detail = reason === 'timeout' ? 'no answer within 5 s' : code;
    return { outcome: { kind: 'retry', reason, detail }, ...plain };
  }
  // The client throws a plain Error for a 429 without Retry-After (8.2.0), and for answers that are no JSON.
  const limited = error instanceof Error && /rate limit|retry header/i.test(error.message);
  return {
    outcome: limited
      ? { kind: 'retry', reason: 'rate_limited', detail: 'HTTP 429' }
      : { kind: 'retry', reason: 'bad_response', detail: 'the answer could not be read' },
    ...plain,
  };
}
