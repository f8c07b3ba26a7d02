/** `wakewell init`: writes a configuration that passes `check`. Asks on a terminal, takes flags anywhere. */

import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { stringify } from 'yaml';
import { isLoopback } from '../config/config.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { checkConfigText } from './load-config.js';

export type InitOptions = {
  readonly output: string;
  readonly prometheus?: string;
  readonly alertmanager?: string;
  readonly slackChannel?: string;
  readonly pagerduty: boolean;
  readonly host?: string;
  readonly json: boolean;
};

/** Never overwrites (exit 5). Credentials of others stay in the environment; our own tokens are made here. */
export async function init(options: InitOptions): Promise<number> {
  const { output } = options;
  if (existsSync(output)) {
    throw new CommandFailure(
      EXIT.refused,
      `${output} exists: move it away, or name another file with --output`,
    );
  }
  const answers = process.stdin.isTTY && !options.json ? await ask(options) : options;
  const { text, waiting } = configText(answers, process.env);
  const checked = checkConfigText(text, output, process.env);
  if (checked.kind === 'faulty') throw new CommandFailure(EXIT.usage, checked.faults.join('\n'));
  // Not readable by others: it may hold tokens. `wx`: another process may have written it meanwhile.
  writeFileSync(output, text, { mode: 0o600, flag: 'wx' });
  if (options.json) {
    console.log(JSON.stringify({ file: output, warnings: checked.warnings }));
    return EXIT.fine;
  }
  console.log(`Wrote ${output}.`);
  for (const line of waiting) console.log(`! ${line}`);
  console.log('Next: wakewell check, then wakewell serve. In Alertmanager:\n');
  console.log(alertmanagerReceiver(checked.config.publicUrl ?? 'http://<this host>:9099', answers.host));
  return EXIT.fine;
}

/** The file, and what is still to be done for it to be whole. */
function configText(
  answers: InitOptions,
  env: NodeJS.ProcessEnv,
): { readonly text: string; readonly waiting: readonly string[] } {
  const { host } = answers;
  const exposed = host !== undefined && !isLoopback(host);
  const token = () => randomBytes(32).toString('hex');
  const settings = {
    ...(host === undefined ? {} : { host }),
    ...(answers.prometheus === undefined ? {} : { prometheus: { url: answers.prometheus } }),
    ...(answers.alertmanager === undefined ? {} : { alertmanager: { url: answers.alertmanager } }),
    ...(exposed
      ? {
          tokens: {
            webhook: [{ name: 'alertmanager', token: token() }],
            api: [{ name: 'api', token: token() }],
          },
        }
      : {}),
  };
  const wanted = [
    ...(answers.pagerduty
      ? [
          {
            variable: 'PAGERDUTY_ROUTING_KEY',
            name: 'pagerduty',
            kind: 'pagerduty',
            routing_key: reference('PAGERDUTY_ROUTING_KEY'),
          },
        ]
      : []),
    ...(answers.slackChannel === undefined
      ? []
      : [
          {
            variable: 'SLACK_BOT_TOKEN',
            name: 'slack',
            kind: 'slack',
            bot_token: reference('SLACK_BOT_TOKEN'),
            channel: answers.slackChannel,
          },
        ]),
  ];
  // A reference to a variable that is not set would be a fault, so such a receiver waits in a comment.
  const isSet = ({ variable }: { readonly variable: string }) => (env[variable] ?? '') !== '';
  const entry = ({ variable: _, ...receiver }: (typeof wanted)[number]) => receiver;
  const ready = wanted.filter(isSet).map(entry);
  const later = wanted.filter((one) => !isSet(one));

  const parts = ['# Every setting that is not here has a default; `wakewell check` finds mistakes.'];
  const given = { ...settings, ...(ready.length === 0 ? {} : { receivers: ready }) };
  if (Object.keys(given).length > 0) parts.push(stringify(given).trimEnd());
  if (later.length > 0) {
    parts.push(
      `# Set ${later.map(({ variable }) => variable).join(' and ')}, then take the comment signs away:`,
      commented(stringify({ receivers: later.map(entry) })),
    );
  }
  return {
    text: `${parts.join('\n')}\n`,
    waiting: later.map(
      ({ variable, name }) => `${variable} is not set: the receiver ${name} stands in a comment`,
    ),
  };
}

function reference(variable: string): string {
  return `$\{${variable}}`;
}

function commented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `# ${line}`)
    .join('\n');
}

function alertmanagerReceiver(url: string, host: string | undefined): string {
  const exposed = host !== undefined && !isLoopback(host);
  return stringify({
    receivers: [
      {
        name: 'wakewell',
        webhook_configs: [
          {
            url: `${url}/api/v1/alertmanager`,
            send_resolved: true,
            ...(exposed
              ? { http_config: { authorization: { credentials: 'the token of tokens.webhook' } } }
              : {}),
          },
        ],
      },
    ],
  });
}

async function ask(given: InitOptions): Promise<InitOptions> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const want = async (question: string, known: string | undefined) => {
    if (known !== undefined) return known;
    const answer = (await terminal.question(question)).trim();
    return answer === '' ? undefined : answer;
  };
  const prometheus = await want(
    'Prometheus, such as http://localhost:9090 (empty: none): ',
    given.prometheus,
  );
  const alertmanager = await want(
    'Alertmanager, such as http://localhost:9093 (empty: none): ',
    given.alertmanager,
  );
  const slackChannel = await want(
    'Slack channel id, such as C0123ABCD (empty: no Slack): ',
    given.slackChannel,
  );
  const pagerduty = given.pagerduty || /^y/i.test((await want('Page by PagerDuty? [y/N] ', undefined)) ?? '');
  terminal.close();
  return {
    ...given,
    pagerduty,
    ...(prometheus === undefined ? {} : { prometheus }),
    ...(alertmanager === undefined ? {} : { alertmanager }),
    ...(slackChannel === undefined ? {} : { slackChannel }),
  };
}
