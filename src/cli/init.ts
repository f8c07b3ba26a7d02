import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { stringify } from 'yaml';
import { readConfig } from '../config/config.js';
import { CommandFailure, EXIT } from './exit-codes.js';

export type InitOptions = {
  readonly output: string;
  readonly prometheus?: string;
  readonly alertmanager?: string;
  readonly slackChannel?: string;
  readonly pagerduty: boolean;
};

/** `wakewell init`: asks (on a terminal) or takes flags, and writes a configuration that passes `check`. Secrets stay in the environment. */
export async function init(options: InitOptions): Promise<number> {
  if (existsSync(options.output)) {
    throw new CommandFailure(
      EXIT.refused,
      `${options.output} exists: move it away, or name another with --output`,
    );
  }
  const answers = process.stdin.isTTY ? await ask(options) : options;
  const text = stringify({
    ...(answers.prometheus === undefined ? {} : { prometheus: { url: answers.prometheus } }),
    ...(answers.alertmanager === undefined ? {} : { alertmanager: { url: answers.alertmanager } }),
    ...receiversOf(answers),
  });
  const body = text.trim() === '{}' ? '# Every setting has a default.\n' : text;
  // Names in ${…} are filled in when the service starts; here any value will do.
  const env = { SLACK_BOT_TOKEN: 'xoxb-check', PAGERDUTY_ROUTING_KEY: '0123456789abcdef0123456789abcdef' };
  const checked = readConfig({ yamlText: body, file: options.output, env });
  if (checked.kind === 'faulty') throw new CommandFailure(EXIT.usage, checked.faults.join('\n'));
  writeFileSync(options.output, body, { mode: 0o600 });
  console.log(`Wrote ${options.output}. Next: \`wakewell check\`, then \`wakewell serve\`.`);
  return EXIT.fine;
}

function receiversOf(answers: InitOptions) {
  const receivers = [
    ...(answers.pagerduty
      ? [{ name: 'pager', kind: 'pagerduty', routing_key: `$${'{PAGERDUTY_ROUTING_KEY}'}` }]
      : []),
    ...(answers.slackChannel === undefined
      ? []
      : [
          {
            name: 'slack',
            kind: 'slack',
            bot_token: `$${'{SLACK_BOT_TOKEN}'}`,
            channel: answers.slackChannel,
          },
        ]),
  ];
  return receivers.length === 0 ? {} : { receivers };
}

async function ask(given: InitOptions): Promise<InitOptions> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const want = async (question: string, known: string | undefined) => {
    if (known !== undefined) return known;
    const answer = (await terminal.question(question)).trim();
    return answer === '' ? undefined : answer;
  };
  const prometheus = await want('Prometheus URL (empty: none): ', given.prometheus);
  const alertmanager = await want('Alertmanager URL (empty: none): ', given.alertmanager);
  const slackChannel = await want('Slack channel id (empty: no Slack): ', given.slackChannel);
  const pagerduty =
    given.pagerduty || (await want('Page by PagerDuty? [y/N] ', undefined))?.toLowerCase() === 'y';
  terminal.close();
  return {
    output: given.output,
    pagerduty,
    ...(prometheus === undefined ? {} : { prometheus }),
    ...(alertmanager === undefined ? {} : { alertmanager }),
    ...(slackChannel === undefined ? {} : { slackChannel }),
  };
}
