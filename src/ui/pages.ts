/** All pages as the functions that `http` asks for, handed over by the composition root. */

import type { SloLookup } from '../render/headline.js';
import { renderErrorPage } from './error-page.js';
import { renderHealthPage } from './health-page.js';
import { renderIncidentList } from './incident-list.js';
import { type IncidentPageProps, renderIncidentPage } from './incident-page.js';
import { renderOutboxPage } from './outbox-page.js';
import { renderPlaybookList, renderPlaybookPage } from './playbook-pages.js';
import { STYLESHEET } from './stylesheet.js';

/** `slo` replaces single objectives of the catalog in headlines. */
export function createPageRenderers(slo: SloLookup = {}) {
  return {
    incidentList: renderIncidentList,
    incidentPage: (props: IncidentPageProps) => renderIncidentPage(props, slo),
    healthPage: renderHealthPage,
    outboxPage: renderOutboxPage,
    playbookList: renderPlaybookList,
    playbookPage: renderPlaybookPage,
    errorPage: renderErrorPage,
    stylesheet: STYLESHEET,
  };
}
