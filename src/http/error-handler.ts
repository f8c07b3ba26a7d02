/** The one place that turns failures into answers: problem+json for programs, a page for browsers. */

import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import { AppError, type ErrorCode } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { type Problem, sendProblem } from './problem.js';

const TITLES: Readonly<Record<ErrorCode, string>> = {
  bad_request: 'The request cannot be understood',
  unauthorized: 'A token is needed',
  forbidden: 'Not allowed',
  not_found: 'No such thing',
  conflict: 'Not possible in the present state',
  too_large: 'Too large',
  unavailable: 'Not available now',
};

export type ErrorPage = (input: {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}) => string;

export type ErrorHandlerDeps = { readonly logger: Logger; readonly errorPage: ErrorPage };

/** Answers every path that no route took. */
export const notFound: RequestHandler = (request) => {
  // Not `path`: under a mount that is only its rest.
  const path = (request.originalUrl.split('?')[0] ?? '').slice(0, 200);
  throw new AppError('not_found', `nothing is served at ${request.method} ${path}`);
};

/** Never leaks what went wrong inside: an unexpected failure is logged with its cause and answered with a bare 500. */
export function createErrorHandler({ logger, errorPage }: ErrorHandlerDeps): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const problem = problemOf(error);
    if (problem.status >= 500) {
      logger.error({ err: error, method: request.method, path: request.path }, 'request failed');
    }
    // Too late for a proper answer: Express closes the connection, which the client notices.
    if (response.headersSent) return next(error);
    if (!wantsPage(request)) return sendProblem(response, problem);
    response
      .status(problem.status)
      .set('Cache-Control', 'no-store')
      .type('html')
      .send(errorPage({ status: problem.status, title: problem.title, detail: problem.detail }));
  };
}

function problemOf(error: unknown): Problem {
  if (error instanceof AppError) {
    return {
      status: error.status,
      slug: error.code.replaceAll('_', '-'),
      title: TITLES[error.code],
      detail: error.message,
    };
  }
  // Express and its body parsers mark what the client did wrong with a 4xx status.
  const status = statusOf(error);
  if (status !== null) {
    const title = STATUS_CODES[status] ?? 'Bad Request';
    return {
      status,
      slug: title.toLowerCase().replace(/[^a-z]+/g, '-'),
      title,
      detail: clientDetail(error, status),
    };
  }
  return {
    status: 500,
    slug: 'internal',
    title: 'Something went wrong inside',
    detail: 'The service log says more. Alerts are taken by another way and are not affected.',
  };
}

function statusOf(error: unknown): number | null {
  const status = (error as { readonly status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}

function clientDetail(error: unknown, status: number): string {
  if (status === 413) return 'the body is larger than 64 KiB';
  if (error instanceof SyntaxError) return 'the body is not valid JSON';
  if (error instanceof URIError) return 'the address is not valid percent-encoding';
  return 'the request cannot be understood';
}

function wantsPage(request: Request): boolean {
  return !request.path.startsWith('/api/') && request.accepts(['json', 'html']) === 'html';
}
