/** What the Slack edge needs of the rest. */

import type { Clock } from '../domain/clock.js';
import type { Incident, IncidentState } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { Severity } from '../domain/severity.js';
import type { Logger } from '../log/logger.js';
import type { SloLookup } from '../render/headline.js';
import type { IncidentListItem } from '../store/incident-history.js';
import type { Respond } from './respond.js';
import type { SlackApp } from './slack-apps.js';

export type SlackActRequest = {
  readonly incidentId: number;
  readonly actor: string;
  readonly via: string;
  readonly comment?: string | undefined;
  readonly expectedRevision?: number | undefined;
  readonly expectedEpisodeId?: number | undefined;
  readonly seenSeverity?: Severity | undefined;
  readonly signal: AbortSignal;
  readonly once: { readonly provider: 'slack'; readonly key: string };
};

export type SlackActResult =
  | { readonly kind: 'changed' | 'same' | 'stale'; readonly incident: Incident }
  | { readonly kind: 'not_found' }
  /** The call was acted upon before. */
  | { readonly kind: 'replayed' }
  | { readonly kind: 'illegal'; readonly incident: Incident; readonly message: string };

export type SlackSilence = { readonly matchers: string; readonly endsAtMs: number };

type Act<More = unknown> = (request: SlackActRequest & More) => Promise<SlackActResult>;

export type SlackDeps = {
  readonly actions: {
    readonly acknowledge: Act;
    readonly resolve: Act;
    readonly reopen: Act;
    readonly addNote: Act<{ readonly comment: string }>;
    readonly askDiagnosis: Act;
    readonly giveFeedback: Act<{ readonly rating: 'noise' }>;
    /** Asks Alertmanager, which may take some seconds; rejects when it does not take it. */
    readonly silence: (
      request: SlackActRequest & { readonly forMs: number },
    ) => Promise<SlackActResult & { readonly silences?: readonly SlackSilence[] }>;
    /** Says below the card how things stand, to who could not be answered otherwise. */
    readonly answerBelowCard: (press: {
      readonly incidentId: number;
      readonly channel: string;
    }) => Promise<void>;
    /** Draws the cards of an incident again, for somebody who pressed on an old one. */
    readonly redraw: (incidentId: number) => Promise<void>;
  };
  readonly reads: {
    readonly view: (incidentId: number) => Promise<IncidentView | null>;
    readonly list: (query: {
      readonly state?: readonly IncidentState[];
      readonly severity?: Severity;
      readonly q?: string;
      readonly limit: number;
    }) => Promise<{ readonly items: readonly IncidentListItem[]; readonly nextCursor: string | null }>;
  };
  /** Takes a call that changes nothing; false for a copy of one. */
  readonly claim: (key: SlackActRequest['once']) => Promise<boolean>;
  readonly respond: Respond;
  /** Opens a form at the person's screen. False when Slack did not take it. */
  readonly openForm: (app: SlackApp, triggerId: string, form: object) => Promise<boolean>;
  readonly publicUrl: string | null;
  /** Source of the alerts that can be silenced from here; null = none. */
  readonly silenceSource: string | null;
  readonly slo?: SloLookup;
  readonly clock: Clock;
  /** Counts answers over HTTP by their status. */
  readonly answered?: (status: number) => void;
  readonly logger: Logger;
};

/** A person is told "not recorded" after this long: Slack itself gives up after 3 s. */
export const ANSWER_MS = 2_000;
