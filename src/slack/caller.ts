/** Who presses or types, and whether they may: any member of the workspace, and nobody from elsewhere. */

import { clean, cut } from '../render/neutralise.js';
import type { SlackApp } from './slack-apps.js';

/** What Slack says of where a call comes from. */
export type SlackOrigin = {
  readonly appId: string | null;
  readonly teamId: string | null;
  readonly userId: string;
  /** The person's own workspace: another one for guests of a shared channel. */
  readonly userTeamId: string | null;
  readonly userName: string | null;
};

export type SlackCaller =
  | { readonly kind: 'person'; readonly actor: string; readonly via: string }
  | { readonly kind: 'refused'; readonly why: string };

const MAX_NAME = 40;

/** Names the person for the timeline, or says why the call is not taken. */
export function callerOf(origin: SlackOrigin, app: SlackApp): SlackCaller {
  const { appId, teamId, userId, userTeamId } = origin;
  if (app.appId !== null && appId !== app.appId) return refused('the call is of another app');
  if (app.teams.length > 0 && (teamId === null || !app.teams.includes(teamId))) {
    return refused('the call is of another workspace');
  }
  // Bots have ids that begin with B, workflows none.
  if (!/^[UW][A-Z0-9]{2,20}$/.test(userId)) return refused('not a person');
  const home = app.teams.length > 0 ? app.teams : teamId === null ? [] : [teamId];
  if (userTeamId !== null && home.length > 0 && !home.includes(userTeamId)) {
    return refused('the person is a guest from another workspace');
  }
  const name = cut(clean(origin.userName ?? ''), MAX_NAME);
  return { kind: 'person', actor: name === '' ? userId : name, via: `Slack (${userId})` };
}

const refused = (why: string) => ({ kind: 'refused', why }) as const;
