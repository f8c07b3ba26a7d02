/** One form for every error of the API: application/problem+json (RFC 9457). */

import type { Response } from 'express';

export type Problem = {
  readonly status: number;
  /** Last part of the `type`: a fixed word that a program may switch on. */
  readonly slug: string;
  /** Fixed for each slug. */
  readonly title: string;
  /** What is wrong this time and what to do. */
  readonly detail: string;
  /** More members, for programs. */
  readonly more?: Readonly<Record<string, unknown>>;
};

/** Answers with a problem. Never cached. */
export function sendProblem(response: Response, problem: Problem): void {
  const { status, slug, title, detail, more } = problem;
  response
    .status(status)
    .set('Cache-Control', 'no-store')
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:wakewell:problem:${slug}`,
        title,
        status,
        detail,
        instance: response.req.originalUrl.split('?')[0],
        ...more,
      }),
    );
}
