/** The Slack edge over a real store, with one critical incident whose card and page went out, and a faithful Slack. */

import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { onTestFinished } from 'vitest';
import { createIncidentActions } from '../../src/incidents/incident-actions.js';
import { createOpenForm } from '../../src/slack/open-form.js';
import { createRespond } from '../../src/slack/respond.js';
import type { SlackApp } from '../../src/slack/slack-apps.js';
import { createSlackCallbacks } from '../../src/slack/slack-callbacks.js';
import type { SlackDeps } from '../../src/slack/slack-deps.js';
import { createCallbackStore } from '../../src/store/callback-store.js';
import { createDiagnosisStore } from '../../src/store/diagnosis-store.js';
import { listIncidents } from '../../src/store/incident-history.js';
import { readIncidentView } from '../../src/store/incident-view.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { aDiagnosis, anAlert } from '../support/build.js';
import { startFakeSlack } from '../support/fake-slack.js';
import { createIntakeHarness } from '../support/intake-harness.js';
import type { createReconcileHarness } from '../support/reconcile-harness.js';
import { commandBody, noteBody, pressBody, SIGNING_SECRET, slackHeaders } from '../support/signed-slack.js';

export const BOT_TOKEN = 'xoxb-MARKER-slack-token';

export type Sent = { readonly status: number; readonly text: string };

/** What a call left behind, whole: an extra row or call fails a test as much as a missing one. */
export type Aftermath = {
  readonly status: number;
  readonly state: string;
  /** `actor kind via` of every act of a person. */
  readonly acts: readonly string[];
  /** Messages stored since the incident was announced. */
  readonly messages: readonly string[];
  /** What the person was told through the response_url. */
  readonly told: readonly string[];
  readonly forms: number;
};

export async function slackHarness(
  over: {
    app?: Partial<SlackApp>;
    actions?: Partial<SlackDeps['actions']>;
    /** With an Alertmanager behind it. */
    base?: Awaited<ReturnType<typeof createReconcileHarness>>;
  } = {},
) {
  const h = over.base ?? createIntakeHarness();
  const { db, clock } = h;
  const slack = await startFakeSlack({ token: BOT_TOKEN, nowMs: clock.now });
  const log = keptLog();
  const network = { fetch: slack.fetch, clock, logger: log };
  const callbacks = createCallbackStore();
  const respond = createRespond(network);
  const openForm = createOpenForm(network);
  const underway = new Set<Promise<unknown>>();
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    underway.add(work);
    return work.finally(() => underway.delete(work));
  };
  const actions =
    over.base?.actions ?? createIncidentActions({ db, clock, pageDeadlineMs: 5_000, onCommitted: () => {} });
  const router = createSlackCallbacks(
    {
      actions: {
        ...actions,
        redraw: (id) => tracked(actions.redraw(id)),
        silence: (request) => tracked(actions.silence(request)),
        answerBelowCard: (press) => tracked(actions.answerBelowCard(press)),
        ...over.actions,
      },
      silenceSource: over.base === undefined ? null : 'alertmanager',
      reads: {
        view: (id) => readIncidentView(db.kysely, id),
        list: (query) => listIncidents(db.kysely, query),
      },
      claim: (key) => db.transaction((tx) => callbacks.claimCallback(tx, key, clock.now())),
      respond: (url, message) => tracked(respond(url, message)),
      openForm: (app, trigger, form) => tracked(openForm(app, trigger, form)),
      publicUrl: 'https://wakewell.example',
      clock,
      logger: log,
    },
    [
      {
        signingSecret: SIGNING_SECRET,
        appId: null,
        teams: [],
        botToken: BOT_TOKEN,
        apiUrl: slack.url,
        ...over.app,
      },
    ],
  );
  const server = createServer(express().use(router));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await slack.close();
    slack.expectNoUnexpected();
  });

  await h.receive(anAlert());
  await clock.advance(60_000);
  await h.deliverDue();
  const { id: _, ...diagnosis } = aDiagnosis();
  await createDiagnosisStore().insertDiagnosis(db.kysely, diagnosis);
  await db.kysely.updateTable('work').set({ state: 'done' }).execute();
  const before = (await h.outbox()).length;
  /** Slack gives every call an id of its own, so that no two are alike. */
  let calls = 0;

  /** Sends a body as it is, with any headers: a list sends a header twice. */
  function send(
    path: string,
    body: string | Buffer,
    headers: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const call = httpRequest(
        {
          port,
          host: '127.0.0.1',
          path,
          method: 'POST',
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value as string])),
            'content-length': Buffer.byteLength(body),
          },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  /** What goes on after an answer may have several steps; between two of them nothing is under way for a moment. */
  async function settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      if (underway.size > 0) quiet = 0;
      await Promise.allSettled([...underway]);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  return {
    ...h,
    slack,
    log,
    send,
    signed: (path: string, body: string) => send(path, body, slackHeaders(body, clock.now())),
    /** The value that the card carries now. */
    async valueOf(act: string): Promise<string> {
      const { incident, episode } = await h.view();
      return `${act}.1.${episode.id}.${incident.revision}.${incident.severity}`;
    },
    async press(act: string, more: Readonly<Record<string, unknown>> = {}): Promise<Sent> {
      const { incident, episode } = await h.view();
      const body = pressBody(`${act}.1.${episode.id}.${incident.revision}.${incident.severity}`, {
        trigger_id: `${++calls}.press`,
        ...more,
      });
      return send('/slack/interactions', body, slackHeaders(body, clock.now()));
    },
    note(text: string): Promise<Sent> {
      const body = noteBody(1, text);
      return send('/slack/interactions', body, slackHeaders(body, clock.now()));
    },
    async command(text: string): Promise<string> {
      const body = commandBody(text, { trigger_id: `${++calls}.command` });
      const answer = await send('/slack/commands', body, slackHeaders(body, clock.now()));
      if (answer.status !== 200) throw new Error(`HTTP ${answer.status} ${answer.text}`);
      const message = JSON.parse(answer.text) as { response_type: string; text: string };
      if (message.response_type !== 'ephemeral') throw new Error('everybody would see it');
      return message.text;
    },
    async aftermath({ status }: Sent): Promise<Aftermath> {
      await settled();
      const { incident, timeline } = await h.view();
      return {
        status,
        state: incident.state,
        acts: timeline
          .filter(({ via }) => via !== null)
          .map(({ actor, kind, via }) => `${actor} ${kind} ${via}`),
        messages: (await h.outbox()).slice(before).map((row) => row.replace(/ \+.*$/, '')),
        told: slack.responses().map((one) => String(one.text)),
        forms: slack.forms().length,
      };
    },
  };
}
