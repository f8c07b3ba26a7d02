/**
 * The pages for people: what each address reads from the store and which page draws it. The drawing functions
 * come from `ui`; every change is a form that posts and is answered with a redirect, so no script is needed.
 */

import express, { type Request, type Response, Router } from 'express';
import { AppError } from '../domain/errors.js';
import type { IncidentState } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { labelsFrom } from '../domain/labels.js';
import type { Notification } from '../domain/notification.js';
import type { Explanation } from '../domain/reasons.js';
import type { HealthTransition } from '../domain/serving-health.js';
import type { ServingHealth } from '../health/evaluate-health.js';
import { findEntry } from '../playbook/match.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import type { IncidentListItem } from '../store/incident-history.js';
import type { OutboxItem } from '../store/outbox-view.js';
import { actorFrom } from './auth.js';
import {
  type ActionName,
  type ActionRequest,
  type ActionResult,
  noSuchIncident,
  perform,
  performFeedback,
  performSilence,
  performStep,
  readIncidentId,
} from './incident-actions.js';
import type { IncidentsApiDeps } from './incidents-api.js';
import { type ListQuery, readListQuery } from './list-query.js';
import type { ServingHealthReads } from './serving-health-api.js';

export type IncidentListInput = {
  readonly items: readonly IncidentListItem[];
  /** Shown below the active ones when no filter is set. */
  readonly recentlyResolved: readonly IncidentListItem[];
  readonly counts: Readonly<Record<IncidentState, number>>;
  readonly query: ListQuery;
  readonly nextCursor: string | null;
  readonly nowMs: number;
};

export type IncidentPageInput = {
  readonly view: IncidentView;
  readonly explanation: Explanation | null;
  /** Every message about it, oldest first. */
  readonly notifications: readonly Notification[];
  /** One sentence on top: what became of the last click. */
  readonly notice: string | null;
  /** Whether the reader is known by name already (then no name is asked for). */
  readonly actor: string | null;
  readonly nowMs: number;
};

export type OutboxInput = {
  readonly items: readonly { readonly notification: OutboxItem; readonly message: string | null }[];
  /** Receivers that do not simply work, a sentence each. */
  readonly troubles: readonly string[];
  readonly nowMs: number;
};

export type HealthPageInput = ServingHealth & { readonly transitions: readonly HealthTransition[] };

export type PlaybookInput = {
  readonly entry: PlaybookEntry;
  /** The alert that was asked for; null when the entry was asked for by its own name. */
  readonly alertName: string | null;
  /** Why this entry serves it. */
  readonly why: string | null;
};

/** One function a page; each returns a whole HTML document. */
export type PageRenderers = {
  readonly incidentList: (input: IncidentListInput) => string;
  readonly incidentPage: (input: IncidentPageInput) => string;
  readonly healthPage: (input: HealthPageInput) => string;
  readonly outboxPage: (input: OutboxInput) => string;
  readonly playbookList: (input: { readonly entries: readonly PlaybookEntry[] }) => string;
  readonly playbookPage: (input: PlaybookInput) => string;
  readonly errorPage: (input: {
    readonly status: number;
    readonly title: string;
    readonly detail: string;
  }) => string;
  /** The one style sheet. */
  readonly stylesheet: string;
};

export type PagesDeps = Pick<IncidentsApiDeps, 'reads' | 'actions'> & {
  readonly render: PageRenderers;
  readonly counts: () => Promise<Readonly<Record<IncidentState, number>>>;
  readonly servingHealth: ServingHealthReads;
  readonly outbox: (limit: number) => Promise<readonly OutboxItem[]>;
  readonly receiverTroubles: () => readonly string[];
  readonly notificationsOf: (incidentId: number) => Promise<readonly Notification[]>;
  /** The message as it would be sent now, as text; null when it can no longer be drawn. */
  readonly renderMessage: (notification: Notification) => Promise<string | null>;
  readonly playbooks: () => readonly PlaybookEntry[];
  readonly now: () => number;
};

const OUTBOX_LIMIT = 50;
const ACTIVE_LIMIT = 200;
const RECENT_LIMIT = 15;

const NOTICES: Readonly<Record<string, string>> = {
  acknowledged: 'Acknowledged. Pager and card are being told.',
  resolved: 'Resolved. Pager and card are being told.',
  reopened: 'Reopened.',
  asked: 'The checks are being run again.',
  done: 'Step marked as done.',
  thanked: 'Noted, thank you.',
  noted: 'Note added.',
  silenced: 'Silenced in Alertmanager. The timeline has the matchers and the end; other alerts still page.',
  same: 'It was in that state already; nothing was changed.',
  stale:
    'Not done: somebody or something changed this incident since you opened the page. This is how it is now.',
  illegal: 'Not done: that is not possible in its present state.',
};

/** Mounted at /, behind authentication. */
export function createPages(deps: PagesDeps): Router {
  const { reads, render } = deps;
  const router = Router();
  const page = (response: Response, html: string, status = 200) =>
    response.status(status).set('Cache-Control', 'no-store').type('html').send(html);

  router.get(['/', '/incidents'], async (request, response) => {
    const query = readListQuery(request.query);
    const counts = await deps.counts();
    if (Object.keys(request.query).length > 0) {
      const { items, nextCursor } = await reads.list(query);
      const input = { items, nextCursor, recentlyResolved: [], counts, query, nowMs: deps.now() };
      page(response, render.incidentList(input));
      return;
    }
    const active = await reads.list({ state: ['open', 'acknowledged'], limit: ACTIVE_LIMIT });
    const recent = await reads.list({ state: ['resolved'], limit: RECENT_LIMIT });
    page(
      response,
      render.incidentList({
        items: active.items,
        nextCursor: null,
        recentlyResolved: recent.items,
        counts,
        query,
        nowMs: deps.now(),
      }),
    );
  });

  router.get('/i/:id', async (request, response) => {
    const id = readIncidentId(request.params.id);
    // The same incident under a second address would be a second thing in everybody's history.
    if (request.params.id !== String(id)) {
      response.redirect(302, `/i/${id}`);
      return;
    }
    const view = await reads.view(id);
    if (view === null) throw noSuchIncident(id);
    const { done } = request.query;
    const notice = typeof done === 'string' && Object.hasOwn(NOTICES, done) ? (NOTICES[done] ?? null) : null;
    const actor = response.locals.actor as string | null;
    const notifications = await deps.notificationsOf(id);
    const explanation = await reads.explanation(id);
    page(
      response,
      render.incidentPage({ view, explanation, notifications, notice, actor, nowMs: deps.now() }),
    );
  });

  const form = express.urlencoded({ extended: false, limit: '64kb', parameterLimit: 20 });
  router.post('/i/:id/acknowledge', form, (request, response) =>
    act('acknowledge', 'acknowledged', request, response),
  );
  router.post('/i/:id/resolve', form, (request, response) => act('resolve', 'resolved', request, response));
  router.post('/i/:id/notes', form, (request, response) => act('notes', 'noted', request, response));
  router.post('/i/:id/reopen', form, (request, response) => act('reopen', 'reopened', request, response));
  router.post('/i/:id/diagnoses', form, (request, response) => act('diagnoses', 'asked', request, response));
  router.post('/i/:id/steps/:step', form, async (request, response) => {
    const given = readForm(request, response);
    back(response, given, await performStep(deps.actions, request.params.step, given), 'done');
  });
  router.post('/i/:id/feedback', form, async (request, response) => {
    const given = readForm(request, response);
    const rating = field(request, 'rating');
    back(response, given, await performFeedback(deps.actions, rating, given), 'thanked');
  });

  router.post('/i/:id/silence', form, async (request, response) => {
    const given = readForm(request, response);
    const result = await performSilence(deps.actions, field(request, 'for'), given);
    // Why it was refused is worth a page of its own.
    if (result.kind === 'illegal') throw new AppError('conflict', result.message);
    back(response, given, result, 'silenced');
  });

  async function act(name: ActionName, past: string, request: Request, response: Response): Promise<void> {
    const given = readForm(request, response);
    // Acknowledging what changed meanwhile is harmless; resolving it may hide what is new.
    const revision = name === 'resolve' ? field(request, 'revision') : undefined;
    const expectedRevision =
      revision !== undefined && /^\d{1,15}$/.test(revision) ? Number(revision) : undefined;
    back(response, given, await perform(deps.actions, name, { ...given, expectedRevision }), past);
  }

  function back(response: Response, given: ActionRequest, result: ActionResult, past: string): void {
    const { incidentId } = given;
    if (result.kind === 'not_found') {
      if (result.message !== undefined) throw new AppError('not_found', result.message);
      throw noSuchIncident(incidentId);
    }
    response.redirect(303, `/i/${incidentId}?done=${result.kind === 'changed' ? past : result.kind}`);
  }

  router.get('/health', async (_request, response) => {
    const { now, transitions } = deps.servingHealth;
    const [health, changes] = await Promise.all([now(), transitions()]);
    page(response, render.healthPage({ ...health, transitions: changes }));
  });

  router.get('/outbox', async (_request, response) => {
    const notifications = await deps.outbox(OUTBOX_LIMIT);
    const items: { notification: OutboxItem; message: string | null }[] = [];
    // One after the other: each message reads its incident, and there is one connection anyway.
    for (const notification of notifications) {
      items.push({ notification, message: await deps.renderMessage(notification) });
    }
    page(response, render.outboxPage({ items, troubles: deps.receiverTroubles(), nowMs: deps.now() }));
  });

  router.get('/playbooks', (_request, response) => {
    page(response, render.playbookList({ entries: deps.playbooks() }));
  });

  /** By entry name, or by the name of any alert: that is the address the generated rules link to. */
  router.get('/playbooks/:name', (request, response) => {
    const { name } = request.params;
    const entries = deps.playbooks();
    const byId = entries.find((entry) => entry.id === name);
    if (byId !== undefined) {
      page(response, render.playbookPage({ entry: byId, alertName: null, why: null }));
      return;
    }
    const match = findEntry(entries, labelsFrom([['alertname', name]]));
    if (match === null) throw new AppError('not_found', 'no playbook is loaded: run `wakewell check`');
    page(response, render.playbookPage({ entry: match.entry, alertName: name, why: match.why }));
  });

  return router;
}

function field(request: Request, name: string): string | undefined {
  const value = ((request.body ?? {}) as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

function readForm(request: Request, response: Response): ActionRequest {
  return {
    incidentId: readIncidentId(request.params.id as string | undefined),
    actor:
      (response.locals.actor as string | null) ??
      actorFrom(field(request, 'actor')) ??
      'somebody at the web page',
    via: 'the incident page',
    comment: field(request, 'comment'),
  };
}

/** The style sheet and what every browser asks for; open, since a page's looks are no secret. */
export function createPublicFiles(stylesheet: string): Router {
  const router = Router();
  router.get('/style.css', (_request, response) => {
    response.set('Cache-Control', 'public, max-age=300').type('css').send(stylesheet);
  });
  router.get('/robots.txt', (_request, response) => {
    response.type('text').send('User-agent: *\nDisallow: /\n');
  });
  router.get('/favicon.ico', (_request, response) => {
    response.status(204).end();
  });
  return router;
}
