/** Turns the configured person or group into Slack's mention mark-up. */

/**
 * `U0MIA` → `<@U0MIA>`, `S0ONCALL` → `<!subteam^S0ONCALL>`, `here` → `<!here>`; ready mark-up is taken as it
 * is. Null for anything else, since a half-right mention would be posted as text.
 */
export function slackMention(who: string | null | undefined): string | null {
  const text = (who ?? '').trim().replace(/^@/, '');
  if (/^<(@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!here|!channel|!everyone)>$/.test(text)) return text;
  if (/^[UW][A-Z0-9]{2,}$/.test(text)) return `<@${text}>`;
  if (/^S[A-Z0-9]{2,}$/.test(text)) return `<!subteam^${text}>`;
  if (/^(here|channel|everyone)$/.test(text)) return `<!${text}>`;
  return null;
}
