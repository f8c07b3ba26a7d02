/** What went wrong and where to go from here. */

import { clean, cut } from '../render/neutralise.js';
import { renderPage } from './layout.js';

export function renderErrorPage({
  status,
  title,
  detail,
}: {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}): string {
  return renderPage({
    title: `${status} ${title}`,
    section: null,
    children: (
      <div class="card edge-unknown">
        <h1>{title}</h1>
        <p>{cut(clean(detail), 500)}</p>
        <p>
          <a class="button" href="/">
            To the incidents
          </a>
        </p>
      </div>
    ),
  });
}
