/**
 * Text from labels, annotations and providers is hostile. It is made harmless here, once a medium:
 * `clean` for every medium, then `slackText` for mrkdwn. HTML is escaped by Preact, logs are JSON.
 */

// C0, C1, DEL; zero-width, bidirectional marks, overrides and isolates; line and paragraph separators; soft
// hyphen, BOM and the tag characters that hide text. A zero-width joiner inside an emoji family goes too:
// the family falls apart into its members, which is harmless.
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]+/gu;

/** More marks than this on one letter is a Zalgo text that paints over its neighbours. */
const MARKS = /(\p{M}{3})\p{M}+/gu;

/** One line of visible text: controls, bidi and zero-width characters become a space, spaces collapse. */
export function clean(text: string): string {
  // Cut early so that a megabyte of label costs nothing; every budget below is far smaller.
  return text
    .slice(0, 10_000)
    .toWellFormed()
    .replace(INVISIBLE, ' ')
    .replace(MARKS, '$1')
    .replace(/\s+/gu, ' ')
    .trim();
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `max` UTF-16 units, cut between graphemes, `…` included. Empty for a `max` below 1. */
export function cut(text: string, max: number): string {
  if (max < 1) return '';
  if (text.length <= max) return text;
  let kept = '';
  for (const { segment } of graphemes.segment(text.slice(0, max + 64))) {
    if (kept.length + segment.length > max - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/**
 * mrkdwn: `&`, `<` and `>` are all that can make a mention or link (docs.slack.dev, "Formatting text");
 * the look-alikes replaced after that only keep a label from turning half the card bold or into code.
 */
export function slackText(text: string): string {
  return escapeSlack(clean(text).replace(/`/g, 'ʼ').replace(/\*/g, '∗').replace(/~/g, '∼'));
}

/** Slack's three escapes and nothing else, for text that was cleaned before. */
export function escapeSlack(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** `code` in mrkdwn, its backticks replaced so that it cannot end early. */
export function slackCode(text: string, max: number): string {
  return `\`${escapeSlack(cut(clean(text).replace(/`/g, 'ʼ'), max))}\``;
}

/** A link to our own page; the text alone when there is no public URL. */
export function slackLink(url: string | null, text: string): string {
  const shown = slackText(text).replaceAll('|', '¦');
  if (url === null) return shown;
  return `<${encodeURI(url).replaceAll('|', '%7C').replaceAll('>', '%3E')}|${shown}>`;
}

/** Replaces every occurrence of a secret, also percent-encoded, by `<secret>`. For text that a provider sent. */
export function withoutSecrets(text: string, secrets: readonly (string | null | undefined)[]): string {
  let result = text;
  for (const secret of secrets) {
    if (secret === null || secret === undefined || secret.length < 4) continue;
    result = result.replaceAll(secret, '<secret>').replaceAll(encodeURIComponent(secret), '<secret>');
  }
  return result;
}
