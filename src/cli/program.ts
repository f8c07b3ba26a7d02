/** The command line. Modules are loaded when their command runs, so that starting stays quick. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CommandFailure, EXIT } from './exit-codes.js';

/** Runs one command line (without `node` and the script) and returns its exit status. Never throws. */
export async function runCommand(args: readonly string[]): Promise<number> {
  let status: number = EXIT.fine;
  const program = createProgram((code) => {
    status = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    if (error instanceof CommandFailure) {
      console.error(error.message);
      return error.exitCode;
    }
    console.error(error);
    return EXIT.usage;
  }
}

/** All commands; `done` takes the status of the one that ran. */
export function createProgram(done: (status: number) => void): Command {
  const program = new Command('wakewell')
    .description('Alert routing and incident playbooks for teams that serve LLMs.')
    .exitOverride()
    .showHelpAfterError('(see wakewell --help)');
  const collect = (value: string, before: string[]) => [...before, value];

  program
    .command('serve')
    .description('run the service')
    .action(async () => done(await (await import('./serve.js')).serve()));
  program
    .command('demo')
    .description('a simulated fleet breaks: watch the page arrive with its diagnosis')
    .option('--scenario <name>', 'what goes wrong', 'kv-exhaustion')
    .option('--time-scale <n>', 'shorten windows, for and holds by this factor', '20')
    .option('--port <n>', 'port of the service', '9099')
    .option('--stay', 'keep serving after the incident is over, until Ctrl-C', false)
    .option('--in-process', 'do not use Prometheus and Alertmanager even when installed', false)
    .action(async (options) => done(await (await import('./demo.js')).runDemo(options)));
  program
    .command('init')
    .description('write a configuration file')
    .option('-o, --output <file>', 'where', 'wakewell.yaml')
    .option('--prometheus <url>', 'Prometheus')
    .option('--alertmanager <url>', 'Alertmanager')
    .option('--slack-channel <id>', 'Slack channel; the token comes from SLACK_BOT_TOKEN')
    .option('--pagerduty', 'page by PagerDuty; the key comes from PAGERDUTY_ROUTING_KEY', false)
    .action(async (options) => done(await (await import('./init.js')).init(options)));
  program
    .command('check')
    .description('find every mistake in configuration, engine files and playbooks')
    .option('--json', 'machine-readable', false)
    .action(async (options) => done(await (await import('./check.js')).check(options)));
  program
    .command('rules')
    .description('print the Prometheus alert rules')
    .option('--engine <name>', 'only this engine')
    .option('--time-scale <n>', 'shorten windows and for')
    .option('-o, --output <file>', 'write to a file')
    .action(async (options) => done(await (await import('./rules.js')).rules(options)));
  program
    .command('fire')
    .description('post what Alertmanager would post for an alert or a scenario')
    .argument('<what>', 'alert name or scenario')
    .option('-l, --label <name=value>', 'label, repeatable', collect, [])
    .option('--severity <word>', 'severity label')
    .option('--resolve', 'resolve it instead', false)
    .option('--json', 'machine-readable', false)
    .action(async (what, options) => done(await (await import('./fire.js')).fire(what, options)));
  program
    .command('diagnose')
    .description('run the steps for an alert against PROMETHEUS_URL, without a running service')
    .argument('<alert>', 'alert name')
    .option('--at <time>', 'as of then, such as 2026-01-31T03:12:00Z')
    .option('-l, --label <name=value>', 'label, repeatable; give cluster, namespace, model', collect, [])
    .option('--json', 'machine-readable', false)
    .action(async (alert, options) =>
      done(await (await import('./diagnose.js')).diagnoseAlert(alert, options)),
    );
  addIncidents(program, done);
  program
    .command('version')
    .description('print the version')
    .option('--json', 'machine-readable', false)
    .action((options) => {
      const version = readVersion();
      console.log(options.json ? JSON.stringify({ version, node: process.version }) : `wakewell ${version}`);
      done(EXIT.fine);
    });
  return program;
}

function addIncidents(program: Command, done: (status: number) => void): void {
  const incidents = program
    .command('incidents')
    .description('incidents of the running service (WAKEWELL_URL)');
  incidents
    .command('list')
    .option('--state <state>', 'open, acknowledged or resolved')
    .option('--json', 'machine-readable', false)
    .action(async (options) => done(await (await import('./incidents.js')).listIncidents(options)));
  incidents
    .command('show')
    .argument('<id>', '412 or INC-412')
    .option('--json', 'machine-readable', false)
    .action(async (id, options) => done(await (await import('./incidents.js')).showIncident(id, options)));
  for (const [name, change] of [
    ['ack', 'acknowledge'],
    ['resolve', 'resolve'],
  ] as const) {
    incidents
      .command(name)
      .argument('<id>', '412 or INC-412')
      .option('-m, --comment <text>', 'why, or what fixed it')
      .option('--json', 'machine-readable', false)
      .action(async (id, options) =>
        done(await (await import('./incidents.js')).changeIncident(id, change, options)),
      );
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
