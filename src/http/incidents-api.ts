/** The history as data, and what people do to it: /api/v1/incidents. */

import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { decodeRecording } from '../diagnosis/recording.js';
import { AppError } from '../domain/errors.js';
import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { Explanation } from '../domain/reasons.js';
import type { TimelineEntry } from '../domain/timeline.js';
import type { Diagnosis } from '../domain/verdict.js';
import type { SloLookup } from '../render/headline.js';
import type { IncidentListItem } from '../store/incident-history.js';
import { CLI_USER_AGENT } from './cli-user-agent.js';
import {
  ACTIONS,
  type ActionRequest,
  type ActionResult,
  type IncidentActions,
  noSuchIncident,
  perform,
  performFeedback,
  performSilence,
  performStep,
  readIncidentId,
} from './incident-actions.js';
import {
  diagnosisJson,
  explanationJson,
  listItemJson,
  seriesJson,
  silenceJson,
  timelineJson,
  viewJson,
} from './incident-json.js';
import { type ListQuery, readListQuery } from './list-query.js';
import { sendProblem } from './problem.js';

/** Reads of the store, each in a transaction of its own. */
export type IncidentReads = {
  readonly list: (
    query: ListQuery,
  ) => Promise<{ readonly items: readonly IncidentListItem[]; readonly nextCursor: string | null }>;
  readonly view: (incidentId: number) => Promise<IncidentView | null>;
  readonly timeline: (incidentId: number) => Promise<readonly TimelineEntry[]>;
  readonly diagnoses: (incidentId: number) => Promise<readonly Diagnosis[]>;
  /** Null when there is no such incident. */
  readonly explanation: (incidentId: number) => Promise<Explanation | null>;
  /** `body` is gzip of JSON. */
  readonly recording: (
    incidentId: number,
    diagnosisId?: number,
  ) => Promise<{
    readonly diagnosisId: number;
    readonly formatVersion: number;
    readonly recordedAtMs: number;
    readonly body: Uint8Array;
  } | null>;
};

export type IncidentsApiDeps = {
  readonly reads: IncidentReads;
  readonly actions: IncidentActions;
  /** Objectives that replace the catalog's in the headline. */
  readonly slo?: SloLookup;
};

const ActionBody = z.strictObject({ comment: z.string().optional(), actor: z.string().max(60).optional() });
const FeedbackBody = ActionBody.extend({ rating: z.string() });
const SilenceBody = ActionBody.extend({ for: z.string() });

/** Mounted at /api/v1/incidents, behind authentication. */
export function createIncidentsApi({ reads, actions, slo = {} }: IncidentsApiDeps): Router {
  const router = Router();
  router.use((_request, response, next) => {
    // Stored nowhere on the way, but revalidated by ETag.
    response.set('Cache-Control', 'private, no-cache');
    next();
  });

  router.get('/', async (request, response) => {
    const query = readListQuery(request.query);
    const { items, nextCursor } = await reads.list(query);
    if (nextCursor !== null) {
      const next = new URLSearchParams({ ...(request.query as Record<string, string>), cursor: nextCursor });
      response.set('Link', `</api/v1/incidents?${next}>; rel="next"`);
    }
    response.json({ data: items.map(listItemJson), page: { next_cursor: nextCursor, limit: query.limit } });
  });

  router.get('/:id', async (request, response) => {
    const view = await viewOf(request);
    response.set('ETag', etagOf(view.incident)).json(viewJson(view, slo));
  });

  router.get('/:id/timeline', async (request, response) => {
    const { incident } = await viewOf(request);
    response.json({ data: (await reads.timeline(incident.id)).map(timelineJson) });
  });

  router.get('/:id/explain', async (request, response) => {
    const id = readIncidentId(request.params.id);
    const explanation = await reads.explanation(id);
    if (explanation === null) throw noSuchIncident(id);
    response.json(explanationJson(id, explanation));
  });

  router.get('/:id/diagnoses', async (request, response) => {
    const { incident } = await viewOf(request);
    response.json({ data: (await reads.diagnoses(incident.id)).map(diagnosisJson) });
  });

  router.get('/:id/series', async (request, response) => {
    const { incident, found } = await recordingOf(request);
    const decoded = decodeRecording(found.body);
    if (decoded.kind === 'unreadable') {
      throw new AppError(
        'conflict',
        `the recording of ${publicId(incident.id)} cannot be read: ${decoded.reason}`,
      );
    }
    response.json(seriesJson(incident.id, found.diagnosisId, decoded.recording));
  });

  router.get('/:id/recording', async (request, response) => {
    const { incident, found } = await recordingOf(request);
    response
      .attachment(`${publicId(incident.id)}-${found.diagnosisId}.recording.json.gz`)
      .set('X-Recording-Format', String(found.formatVersion))
      .type('application/gzip')
      .send(Buffer.from(found.body));
  });

  const json = express.json({ limit: '64kb' });
  for (const name of ACTIONS) {
    router.post(`/:id/${name}`, json, async (request, response) => {
      const result = await perform(actions, name, readAct(request, response, readBody(request, ActionBody)));
      if (name === 'diagnoses')
        response.status(202).location(`${request.baseUrl}/${request.params.id}/diagnoses`);
      await answer(request, response, result);
    });
  }

  router.post('/:id/steps/:step', json, async (request, response) => {
    const act = readAct(request, response, readBody(request, ActionBody));
    await answer(request, response, await performStep(actions, request.params.step, act));
  });

  router.post('/:id/feedback', json, async (request, response) => {
    const body = readBody(request, FeedbackBody);
    const act = readAct(request, response, body);
    await answer(request, response, await performFeedback(actions, body.rating, act));
  });

  router.post('/:id/silence', json, async (request, response) => {
    const body = readBody(request, SilenceBody);
    const act = readAct(request, response, body);
    await answer(request, response, await performSilence(actions, body.for, act));
  });

  async function viewOf(request: Request): Promise<IncidentView> {
    const id = readIncidentId(request.params.id as string | undefined);
    const view = await reads.view(id);
    if (view === null) throw noSuchIncident(id);
    return view;
  }

  async function recordingOf(request: Request) {
    const { incident } = await viewOf(request);
    const wanted = request.query.diagnosis;
    if (wanted !== undefined && !/^\d{1,15}$/.test(String(wanted))) {
      throw new AppError('bad_request', 'diagnosis: expected the number of a diagnosis');
    }
    const found = await reads.recording(incident.id, wanted === undefined ? undefined : Number(wanted));
    if (found === null) {
      throw new AppError(
        'not_found',
        `nothing is recorded for ${publicId(incident.id)} yet: evidence is frozen right after its diagnosis`,
      );
    }
    return { incident, found };
  }

  async function answer(request: Request, response: Response, result: ActionResult): Promise<void> {
    switch (result.kind) {
      case 'not_found':
        if (result.message !== undefined) throw new AppError('not_found', result.message);
        throw noSuchIncident(readIncidentId(request.params.id as string | undefined));
      case 'replayed':
        throw new AppError('conflict', 'this call was acted upon before');
      case 'illegal':
        throw new AppError('conflict', result.message);
      case 'stale':
        sendProblem(response.set('ETag', etagOf(result.incident)), {
          status: 412,
          slug: 'stale-revision',
          title: 'Somebody changed this since you looked',
          detail: `${publicId(result.incident.id)} is ${result.incident.state} at revision ${result.incident.revision}: read it again, then decide`,
          more: { revision: result.incident.revision, state: result.incident.state },
        });
        return;
      case 'changed':
      case 'same': {
        const view = await reads.view(result.incident.id);
        if (view === null) throw noSuchIncident(result.incident.id);
        response.set('ETag', etagOf(view.incident)).json({
          ...viewJson(view, slo),
          ...(result.silences === undefined ? {} : { silences: result.silences.map(silenceJson) }),
        });
      }
    }
  }

  return router;
}

/** `"412-r3"`: strong, since one revision has one content. */
function etagOf(incident: { readonly id: number; readonly revision: number }): string {
  return `"${incident.id}-r${incident.revision}"`;
}

/** The revision in If-Match; undefined without one or for `*`. Throws for another form: ignoring it would lose its protection. */
function expectedRevision(request: Request): number | undefined {
  const header = request.get('if-match');
  if (header === undefined || header.trim() === '*') return undefined;
  const revision = /^(?:W\/)?"\d+-r(\d+)"$/.exec(header.trim())?.[1];
  if (revision === undefined)
    throw new AppError('bad_request', 'If-Match: expected the ETag of the incident, for example "412-r3"');
  return Number(revision);
}

function readBody<Body>(request: Request, shape: z.ZodType<Body>): Body {
  const type = request.get('content-type');
  // A cross-site form can send text/plain without asking first; JSON it cannot.
  if (type !== undefined && !request.is('json')) {
    throw new AppError('bad_request', 'expected a JSON body (Content-Type: application/json), or none');
  }
  const parsed = shape.safeParse(request.body ?? {});
  if (!parsed.success) throw new AppError('bad_request', z.prettifyError(parsed.error));
  return parsed.data;
}

function readAct(request: Request, response: Response, body: z.infer<typeof ActionBody>): ActionRequest {
  const fromTerminal = request.get('user-agent')?.startsWith(CLI_USER_AGENT) === true;
  return {
    incidentId: readIncidentId(request.params.id as string | undefined),
    actor: (response.locals.actor as string | null) ?? body.actor ?? 'api',
    via: fromTerminal ? 'the command line' : 'the API',
    comment: body.comment,
    expectedRevision: expectedRevision(request),
  };
}
