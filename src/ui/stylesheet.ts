/**
 * The one style sheet, served from memory. Phone first (375 px); from 1000 px two columns. The palette's
 * contrasts were computed by the WCAG formula: text ≥ 12, every coloured word ≥ 5.5 on its background.
 */

export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f5f6f8; --text: #1c2128; --muted: #565e69; --link: #0b57c4;
  --critical: #b3261e; --warning: #8a5a00; --ok: #1b6e33; --unknown: #5b3fc0;
  --line: #d5d9df; --edge: #7a828d; --button: #1f5fd0; --code: #e9ecf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --card: #1d2127; --text: #dfe3e8; --muted: #a3abb6; --link: #8ab8ff;
    --critical: #ff8f87; --warning: #f2c14e; --ok: #7fd08f; --unknown: #b9a7f5;
    --line: #333a43; --edge: #6d7683; --button: #2f6fde; --code: #262c34;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
a { color: var(--link); text-underline-offset: 2px; }
a:focus-visible, button:focus-visible, input:focus-visible, textarea:focus-visible, select:focus-visible, summary:focus-visible {
  outline: 3px solid var(--link); outline-offset: 2px;
}
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--page); padding: 8px; z-index: 9; }
.bar { border-bottom: 1px solid var(--line); background: var(--card); }
.bar nav { display: flex; flex-wrap: wrap; max-width: 1180px; margin: 0 auto; padding: 0 9px; }
.bar a { display: inline-flex; align-items: center; min-height: 44px; padding: 0 7px; text-decoration: none; color: var(--text); }
.bar a.brand { font-weight: 700; }
.bar a[aria-current] { box-shadow: inset 0 -3px var(--link); }
main { max-width: 1180px; margin: 0 auto; padding: 12px 16px 96px; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 6px 0 8px; }
h2 { font-size: .875rem; letter-spacing: .06em; text-transform: uppercase; color: var(--muted); margin: 0 0 8px; }
h3 { font-size: 1rem; margin: 12px 0 4px; }
p { margin: 0 0 8px; max-width: 72ch; }
ul, ol { margin: 0 0 8px; padding-left: 22px; max-width: 72ch; }
li { margin-bottom: 4px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px; margin: 0 0 12px; min-width: 0; }
.card > :last-child { margin-bottom: 0; }
.muted { color: var(--muted); }
.small { font-size: .875rem; }
.big { font-size: 1.125rem; font-weight: 650; line-height: 1.35; }
.row { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; }
.spread { justify-content: space-between; }
.badge { font-weight: 700; white-space: nowrap; }
.critical { color: var(--critical); } .warning { color: var(--warning); } .ok { color: var(--ok); } .unknown { color: var(--unknown); }
.card.edge-critical { border-left: 5px solid var(--critical); } .card.edge-warning { border-left: 5px solid var(--warning); }
.card.edge-ok { border-left: 5px solid var(--ok); } .card.edge-unknown { border-left: 5px solid var(--unknown); }
pre, code { font: .875rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { background: var(--code); border-radius: 6px; padding: 8px 10px; margin: 4px 0 8px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
code { background: var(--code); border-radius: 4px; padding: 1px 4px; }
pre code { background: none; padding: 0; }
details { margin: 4px 0; }
summary { cursor: pointer; color: var(--link); min-height: 28px; padding: 2px 0; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; font-size: .875rem; color: var(--muted); }
th, td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td { border-bottom: 0; }
td.name { white-space: nowrap; }
.num { text-align: right; white-space: nowrap; }
.spark { font-size: .75rem; color: var(--muted); white-space: nowrap; }
.fixes { list-style: none; padding: 0; counter-reset: fix; max-width: none; }
.fixes > li { counter-increment: fix; padding: 8px 0 2px 34px; position: relative; border-top: 1px solid var(--line); }
.fixes > li:first-child { border-top: 0; padding-top: 0; }
.fixes > li::before {
  content: counter(fix); position: absolute; left: 0; width: 24px; height: 24px; border-radius: 50%;
  background: var(--button); color: #fff; font-weight: 700; font-size: .875rem; line-height: 24px; text-align: center;
}
.fixes > li:first-child > .do { font-weight: 650; }
.checks { list-style: none; padding: 0; max-width: none; }
.checks > li { border-top: 1px solid var(--line); padding: 8px 0 4px; margin: 0; }
.checks > li:first-child { border-top: 0; padding-top: 0; }
.checks .name { font-weight: 600; }
.story { list-style: none; padding: 0; max-width: none; }
.story > li { display: grid; grid-template-columns: 84px 1fr; gap: 0 10px; padding: 5px 0; margin: 0; border-top: 1px solid var(--line); }
.story > li:first-child { border-top: 0; }
.list { list-style: none; padding: 0; margin: 0 0 16px; max-width: none; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.list > li { margin: 0; border-top: 1px solid var(--line); background: var(--card); }
.list > li:first-child { border-top: 0; }
.list > li > a { display: block; padding: 10px 14px; color: inherit; text-decoration: none; }
.list > li > a:hover .what { text-decoration: underline; }
.list .what { font-weight: 600; }
.tabs { display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 10px; padding: 0; list-style: none; max-width: none; }
.tabs a { display: inline-flex; align-items: center; min-height: 40px; padding: 0 12px; border: 1px solid var(--edge); border-radius: 20px; text-decoration: none; color: var(--text); }
.tabs a[aria-current] { background: var(--text); color: var(--page); border-color: var(--text); }
form.below { margin: 0 0 12px; }
form.search { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 12px; }
form.search input { flex: 1 1 160px; }
input, textarea, select, button { font: inherit; color: inherit; }
input, textarea, select { background: var(--page); border: 1px solid var(--edge); border-radius: 8px; padding: 9px 12px; min-height: 44px; max-width: 100%; }
textarea { width: 100%; min-height: 72px; }
label { display: block; font-size: .875rem; color: var(--muted); margin: 0 0 4px; }
button, .button { display: inline-flex; align-items: center; justify-content: center; min-height: 44px; padding: 0 16px; white-space: nowrap; border-radius: 8px; border: 1px solid var(--button); background: var(--button); color: #fff; font-weight: 650; cursor: pointer; text-decoration: none; }
button.quiet { background: transparent; color: var(--text); border-color: var(--edge); }
.actions { display: flex; gap: 8px; align-items: center; }
.actions input[name=actor] { width: 180px; min-width: 0; flex: 0 1 180px; }
.banner { background: var(--text); color: var(--page); padding: 8px 16px; margin: 0; text-align: center; font-weight: 600; }
.notice { border: 1px solid var(--link); border-radius: 8px; padding: 10px 14px; margin: 0 0 12px; max-width: none; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0 0 8px; }
.facts dt { color: var(--muted); } .facts dd { margin: 0; }
.thumb { position: fixed; inset: auto 0 0 0; background: var(--card); border-top: 1px solid var(--line); padding: 8px 16px; z-index: 5; }
.thumb .actions input[name=actor] { flex: 1 1 60px; padding: 9px 10px; }
.thumb button { padding: 0 12px; }
.thumb .actions > button:first-of-type { flex: 1 0 auto; }
.for-desk { display: none; }
@media (max-width: 599px) {
  /* One line: the sections are reached by a thumb, the first screen belongs to the incident. */
  .bar nav { flex-wrap: nowrap; overflow-x: auto; justify-content: space-between; }
  .bar a { font-size: .875rem; padding: 0 5px; }
}
@media (min-width: 1000px) {
  .columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 16px; align-items: start; }
  .for-desk { display: block; }
  .thumb { display: none; }
  main { padding-bottom: 32px; }
}
@media print { .bar, .thumb, form { display: none; } .card { break-inside: avoid; } }
`;
