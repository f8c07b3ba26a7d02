/** The frame of every page, and the only place where a document is made of it. */

import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { clean } from '../render/neutralise.js';
import type { Tone } from './text.js';

export type Section = 'incidents' | 'health' | 'playbooks' | 'outbox';

const SECTIONS: readonly (readonly [Section, string, string])[] = [
  ['incidents', '/incidents', 'Incidents'],
  ['health', '/health', 'Health'],
  ['playbooks', '/playbooks', 'Playbooks'],
  ['outbox', '/outbox', 'Outbox'],
];

const ICON_COLOUR: Readonly<Record<Tone, string>> = {
  critical: '#d93025',
  warning: '#e8a400',
  ok: '#2e9e4f',
  unknown: '#7a5ce0',
  muted: '#7a828d',
};

export type LayoutProps = {
  /** Shown in the tab: state first, since a tab shows little. */
  readonly title: string;
  readonly section: Section | null;
  /** Colour of the tab's icon. */
  readonly tone?: Tone;
  /** Seconds after which the page asks again; absent = never (a typed note would be lost). */
  readonly refreshSeconds?: number;
  readonly children: ComponentChildren;
};

function Layout({ title, section, tone = 'muted', refreshSeconds, children }: LayoutProps) {
  const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="${ICON_COLOUR[tone]}"/></svg>`;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        {refreshSeconds === undefined ? null : <meta http-equiv="refresh" content={String(refreshSeconds)} />}
        <title>{title}</title>
        <link rel="icon" href={`data:image/svg+xml,${encodeURIComponent(icon)}`} />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="bar">
          <nav aria-label="Wakewell">
            <a class="brand" href="/">
              Wakewell
            </a>
            {SECTIONS.map(([name, href, label]) => (
              <a key={name} href={href} {...(name === section ? { 'aria-current': 'page' as const } : {})}>
                {label}
              </a>
            ))}
          </nav>
        </header>
        <main id="main">{children}</main>
      </body>
    </html>
  );
}

/** A whole HTML document. Everything in it is escaped by Preact: no page sets markup as text. */
export function renderPage(props: LayoutProps): string {
  return `<!doctype html>${renderToString(<Layout {...props} />)}`;
}

const MAIN = '<main id="main">';

/** Puts sentences that concern the whole service above the content of a document made by `renderPage`. */
export function withBanners(document: string, banners: readonly string[]): string {
  if (banners.length === 0) return document;
  const drawn = renderToString(
    <aside aria-label="About this service">
      {banners.map((sentence) => (
        <p key={sentence} class="banner">
          {clean(sentence)}
        </p>
      ))}
    </aside>,
  );
  // Only the frame has this text: everything else in a document is escaped.
  const at = document.indexOf(MAIN);
  return document.slice(0, at) + drawn + document.slice(at);
}
