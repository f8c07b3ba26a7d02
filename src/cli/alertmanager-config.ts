/** `wakewell alertmanager-config`: what makes an Alertmanager deliver here, ready to paste. */

import { writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { alertmanagerConfig, alertmanagerConfigResource } from '../generate/alertmanager-config.js';
import { WEBHOOK_PATH } from '../http/webhook-first.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';

export type AlertmanagerConfigCommandOptions = {
  /** Where Alertmanager finds the service. */
  readonly url?: string;
  readonly tokenFile?: string;
  readonly pagerKeyFile?: string;
  readonly format: string;
  readonly output?: string;
  readonly json: boolean;
};

/** No secret is printed: the text names the files that hold them. */
export async function alertmanagerConfigCommand(options: AlertmanagerConfigCommandOptions): Promise<number> {
  const config = requireConfig();
  const base = options.url ?? config.publicUrl ?? config.apiUrl;
  const timing = { groupWaitMs: 5_000, groupIntervalMs: 60_000, repeatIntervalMs: 4 * 3_600_000 };
  const webhookUrl = `${base.replace(/\/+$/, '')}${WEBHOOK_PATH}`;
  const text = textOf(options, webhookUrl, timing, config.tokens.webhook.length > 0);
  const shown = options.json ? `${JSON.stringify(parse(text))}\n` : text;
  if (options.output === undefined) process.stdout.write(shown);
  else {
    writeFileSync(options.output, shown);
    console.error(`Wrote ${options.output}. Check it: amtool check-config ${options.output}`);
  }
  return EXIT.fine;
}

function textOf(
  options: AlertmanagerConfigCommandOptions,
  webhookUrl: string,
  timing: {
    readonly groupWaitMs: number;
    readonly groupIntervalMs: number;
    readonly repeatIntervalMs: number;
  },
  wantsToken: boolean,
): string {
  switch (options.format) {
    case 'alertmanager': {
      const token = options.tokenFile ?? (wantsToken ? '/etc/alertmanager/wakewell-token' : undefined);
      return alertmanagerConfig({
        webhookUrl,
        ...timing,
        ...(token === undefined ? {} : { bearerTokenFile: token }),
        pagerRoutingKeyFile: options.pagerKeyFile ?? '/etc/alertmanager/pagerduty-routing-key',
      });
    }
    case 'kubernetes':
      return alertmanagerConfigResource({ webhookUrl, ...timing });
    default:
      throw new CommandFailure(EXIT.usage, `--format ${options.format}: expected alertmanager or kubernetes`);
  }
}
