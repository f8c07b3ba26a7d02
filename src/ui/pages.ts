/** All pages as the functions that `http` asks for, handed over by the composition root. */

import type { SloLookup } from '../render/headline.js';
import { renderErrorPage } from './error-page.js';
import { renderHealthPage } from './health-page.js';
import { renderIncidentList } from './incident-list.js';
import { type IncidentPageProps, renderIncidentPage } from './incident-page.js';
import { withBanners } from './layout.js';
import { renderOutboxPage } from './outbox-page.js';
import { renderPlaybookList, renderPlaybookPage } from './playbook-pages.js';
import { STYLESHEET } from './stylesheet.js';

/** `slo` replaces single objectives of the catalog in headlines; `banners` are what every page says first. */
export function createPageRenderers(slo: SloLookup = {}, banners: () => readonly string[] = () => []) {
  const framed =
    <Props>(render: (props: Props) => string) =>
    (props: Props): string =>
      withBanners(render(props), banners());
  return {
    incidentList: framed(renderIncidentList),
    incidentPage: framed((props: IncidentPageProps) => renderIncidentPage(props, slo)),
    healthPage: framed(renderHealthPage),
    outboxPage: framed(renderOutboxPage),
    playbookList: framed(renderPlaybookList),
    playbookPage: framed(renderPlaybookPage),
    errorPage: framed(renderErrorPage),
    stylesheet: STYLESHEET,
  };
}
