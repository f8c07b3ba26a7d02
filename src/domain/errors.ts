/**
 * Named failures with the HTTP status they mean. Alertmanager drops what is answered 4xx until its next
 * group_interval, so the webhook never uses these for its body: it answers 200 or 503 (see http/alertmanager-webhook.ts).
 */
const STATUS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof STATUS;

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;

  /** `message` says what was found, what was expected and what to do; it may be shown to the caller. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.status = STATUS[code];
  }
}
