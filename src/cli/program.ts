/** The command line. A command's module is loaded when it runs, so that starting stays quick. */

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
    if (!(error instanceof CommandFailure)) {
      // A mistake of ours, or of a kind nobody foresaw: the stack helps whoever reports it.
      console.error(error);
      return EXIT.refused;
    }
    const { exitCode, message } = error;
    console.error(
      args.includes('--json') ? JSON.stringify({ error: message, exit_code: exitCode }) : message,
    );
    return exitCode;
  }
}

/** All commands; `done` takes the status of the one that ran. */
export function createProgram(done: (status: number) => void): Command {
  const program = new Command('wakewell')
    .description('Alert routing and incident playbooks for teams that serve LLMs.')
    .option('-c, --config <file>', 'configuration file (WAKEWELL_CONFIG, ./wakewell.yaml)')
    .exitOverride()
    .showHelpAfterError('(see wakewell --help)')
    .hook('preAction', () => {
      const { config } = program.opts<{ config?: string }>();
      if (config !== undefined) process.env.WAKEWELL_CONFIG = config;
    });
  addService(program, done);
  addSetup(program, done);
  addDashboard(program, done);
  addAlertmanagerConfig(program, done);
  addAlerts(program, done);
  addRecordings(program, done);
  addHealth(program, done);
  addDoctor(program, done);
  addIncidents(program, done);
  addRoute(program, done);
  addStorage(program, done);
  program
    .command('version')
    .description('print the version')
    .option(...JSON_OPTION)
    .action((options) => {
      const version = readVersion();
      console.log(options.json ? JSON.stringify({ version, node: process.version }) : `wakewell ${version}`);
      done(EXIT.fine);
    });
  return program;
}

type Done = (status: number) => void;

const JSON_OPTION = ['--json', 'machine-readable', false] as const;
const collect = (value: string, before: string[]) => [...before, value];

function addService(program: Command, done: Done): void {
  program
    .command('serve')
    .description('run the service; its log is JSON lines on stdout')
    .option(
      '--accept-database',
      'take the database that lies there, or none, as the one that belongs there',
      false,
    )
    .action(async (options) => done(await (await import('./serve.js')).serve(options)));
  program
    .command('demo')
    .description('a simulated fleet breaks: watch the page arrive with its diagnosis')
    .option('--scenario <name>', 'what goes wrong', 'kv-exhaustion')
    .option('--time-scale <n>', 'shorten windows, for and holds by this factor', '20')
    .option('--port <n>', 'port of the service', '9099')
    .option('--stay', 'keep serving after the incident is over, until Ctrl-C', false)
    .option('--in-process', 'do not use Prometheus and Alertmanager even when installed', false)
    .action(async (options) => done(await (await import('./demo.js')).runDemo(options)));
}

function addSetup(program: Command, done: Done): void {
  program
    .command('init')
    .description('write a configuration file; asks on a terminal')
    .option('-o, --output <file>', 'where', 'wakewell.yaml')
    .option('--prometheus <url>', 'Prometheus')
    .option('--alertmanager <url>', 'Alertmanager')
    .option('--slack-channel <id>', 'Slack channel; the token comes from SLACK_BOT_TOKEN')
    .option('--pagerduty', 'page by PagerDuty; the key comes from PAGERDUTY_ROUTING_KEY', false)
    .option('--host <address>', 'listen there; beyond loopback tokens are made')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('init', 'init --prometheus http://prometheus:9090 --slack-channel C0123ABCD'),
    )
    .action(async (options) => done(await (await import('./init.js')).init(options)));
  program
    .command('check')
    .description('find every mistake in configuration, engine files and playbooks')
    .option('--recordings <directory>', 'also replay those recordings: a changed verdict is a mistake')
    .option('--online', 'also try every step of every entry against Prometheus', false)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('check', 'check --recordings ./recordings', '--config staging.yaml check --json'),
    )
    .action(async (options) => done(await (await import('./check.js')).check(options)));
  program
    .command('rules')
    .description('print the Prometheus alert rules')
    .option('--engine <name>', 'only this engine')
    .option('--time-scale <n>', 'shorten windows and for')
    .option('--format <name>', 'prometheus, or prometheusrule for the operator', 'prometheus')
    .option('-o, --output <file>', 'write to a file')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('rules -o rules.yml', 'rules --engine vllm'))
    .action(async (options) => done(await (await import('./rules.js')).rules(options)));
}

function addDashboard(program: Command, done: Done): void {
  program
    .command('dashboard')
    .description('print the Grafana dashboard')
    .option('--engine <name>', 'only this engine, with GPUs and Kubernetes')
    .option('-o, --output <file>', 'write to a file')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('dashboard -o dashboard.json', 'dashboard --engine vllm'))
    .action(async (options) => done(await (await import('./dashboard.js')).dashboard(options)));
}

function addAlertmanagerConfig(program: Command, done: Done): void {
  program
    .command('alertmanager-config')
    .description('print route, receivers, inhibition and Watchdog route for your Alertmanager')
    .option('--url <url>', 'where Alertmanager finds the service (WAKEWELL_PUBLIC_URL)')
    .option('--token-file <file>', 'file on its machine that holds the webhook token')
    .option('--pager-key-file <file>', "file on its machine that holds PagerDuty's routing key")
    .option('--format <name>', 'alertmanager, or kubernetes for the operator', 'alertmanager')
    .option('-o, --output <file>', 'write to a file')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('alertmanager-config -o alertmanager.yml', 'alertmanager-config --format kubernetes'),
    )
    .action(async (options) =>
      done(await (await import('./alertmanager-config.js')).alertmanagerConfigCommand(options)),
    );
}

function addAlerts(program: Command, done: Done): void {
  program
    .command('fire')
    .description('post what Alertmanager would post for an alert or a scenario')
    .argument('<what>', 'alert name or scenario')
    .option('-l, --label <name=value>', 'label, repeatable', collect, [])
    .option('--severity <word>', 'severity label')
    .option('--resolve', 'resolve it instead', false)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('fire kv-exhaustion', 'fire LLMHighTTFT -l model=mixtral --severity warning'),
    )
    .action(async (what, options) => done(await (await import('./fire.js')).fire(what, options)));
  program
    .command('diagnose')
    .description('run the steps for an alert against PROMETHEUS_URL, without a running service')
    .argument('<alert>', 'alert name')
    .option('--at <time>', 'as of then, such as 2026-01-31T03:12:00Z or -2h')
    .option('-l, --label <name=value>', 'label, repeatable; give cluster, namespace, model', collect, [])
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'diagnose LLMHighTTFT -l cluster=prod-us -l namespace=serving -l model=llama-70b',
        'diagnose LLMHighTTFT -l model=llama-70b --at 2026-01-31T03:12:00Z',
      ),
    )
    .action(async (alert, options) =>
      done(await (await import('./diagnose.js')).diagnoseAlert(alert, options)),
    );
}

function addRecordings(program: Command, done: Done): void {
  program
    .command('record')
    .description('save an incident as one file, or what Prometheus shows for an alert')
    .argument('<what>', '412 or INC-412 of the running service; or an alert name, asked of PROMETHEUS_URL')
    .option('-o, --output <file>', 'where; INC-412.recording.json.gz when absent')
    .option('--at <time>', 'of an alert: as of then, such as 2026-01-31T03:12:00Z or -2h')
    .option('-l, --label <name=value>', 'of an alert: label, repeatable', collect, [])
    .option(...JSON_OPTION)
    .addHelpText('after', examples('record INC-412', 'record LLMHighTTFT -l model=llama-70b --at -2h'))
    .action(async (what, options) => done(await (await import('./record.js')).recordCommand(what, options)));
  program
    .command('replay')
    .description('diagnose a recording again, offline, and say what differs from what it says')
    .argument('<what>', 'a file that record wrote, or an incident of the running service')
    .option('--playbooks <directory>', 'read after the built-in and configured ones')
    .option('--alert <name>', 'which alert fired, for a recording that does not say')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('replay INC-412.recording.json.gz', 'replay INC-412 --playbooks ./my-playbooks'),
    )
    .action(async (what, options) => done(await (await import('./replay.js')).replayCommand(what, options)));
  program
    .command('backtest')
    .description("when an entry's alerts would have fired, by PROMETHEUS_URL, and what was concluded then")
    .argument('<entry>', 'a playbook entry, or one of our alerts')
    .option('--since <span>', 'how far back, such as 30d; or a time', '30d')
    .option('--until <time>', 'to then; now when absent')
    .option('--step <span>', 'between two evaluations', '60s')
    .option('--limit <n>', 'how many firings are diagnosed, the newest', '50')
    .option('--playbooks <directory>', 'read after the built-in and configured ones')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('backtest high-ttft --since 30d', 'backtest LLMQueueBuildup --since 7d --json'),
    )
    .action(async (entry, options) => done(await (await import('./backtest.js')).backtest(entry, options)));
}

function addHealth(program: Command, done: Done): void {
  program
    .command('health')
    .description('the five health checks of every served model, live from PROMETHEUS_URL')
    .option('--watch', 'again every 10 s, until Ctrl-C', false)
    .option('--fail-on <status>', 'exit 1 from warning or critical on')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('health', 'health --fail-on warning --json'))
    .action(async (options) => done(await (await import('./health.js')).health(options)));
}

function addDoctor(program: Command, done: Done): void {
  program
    .command('doctor')
    .description('try everything that a page depends on, and say what is blind and why')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('doctor', 'doctor --json'))
    .action(async (options) => done(await (await import('./doctor.js')).doctor(options)));
}

function addIncidents(program: Command, done: Done): void {
  const incidents = program
    .command('incidents')
    .description('incidents of the running service (WAKEWELL_URL)');
  incidents
    .command('list')
    .description('newest first')
    .option('--state <states>', 'open, acknowledged, resolved; several by comma')
    .option('--severity <word>', 'critical, warning or info')
    .option('-q, --q <words>', 'found in name, scope, id or verdict')
    .option('--limit <n>', 'at most 200')
    .option(...JSON_OPTION)
    .action(async (options) => done(await (await import('./incidents.js')).listIncidents(options)));
  incidents
    .command('show')
    .description('verdict, checks, what to do and what not')
    .argument('<id>', '412 or INC-412')
    .option(...JSON_OPTION)
    .action(async (id, options) => done(await (await import('./incidents.js')).showIncident(id, options)));
  for (const [name, change, description] of [
    ['ack', 'acknowledge', 'take it: pager and card are told'],
    ['resolve', 'resolve', 'say that it is over'],
    ['reopen', 'reopen', 'say that it is not over'],
    ['rerun', 'diagnoses', 'run its checks again'],
  ] as const) {
    incidents
      .command(name)
      .description(description)
      .argument('<id>', '412 or INC-412')
      .option('-m, --comment <text>', 'why, or what fixed it')
      .option(...JSON_OPTION)
      .action(async (id, options) =>
        done(await (await import('./incidents.js')).changeIncident(id, change, options)),
      );
  }
  incidents
    .command('note')
    .description('add a sentence to its story')
    .argument('<id>', '412 or INC-412')
    .argument('<text>')
    .option(...JSON_OPTION)
    .action(async (id, comment, options) =>
      done(await (await import('./incidents.js')).changeIncident(id, 'notes', { ...options, comment })),
    );
  addSilence(incidents, done);
}

function addRoute(program: Command, done: Done): void {
  program
    .command('route')
    .description('routes of the configuration')
    .command('explain')
    .description('what a webhook payload would come to, and why; nothing is sent')
    .argument('<file>', 'a payload as Alertmanager posts it, or - for standard input')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('route explain payload.json', 'route explain - --json < payload.json'))
    .action(async (file, options) => done((await import('./route-explain.js')).routeExplain(file, options)));
}

function addSilence(incidents: Command, done: Done): void {
  incidents
    .command('silence')
    .description('create a silence in Alertmanager for what its firing alerts have in common')
    .argument('<id>', '412 or INC-412')
    .requiredOption('--for <span>', 'how long, at most 30d')
    .option('-m, --comment <text>', 'why')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('incidents silence 412 --for 1h -m "draining node-3"'))
    .action(async (id, options) => done(await (await import('./incidents.js')).silenceIncident(id, options)));
}

function addStorage(program: Command, done: Done): void {
  program
    .command('backup')
    .description('copy the database, also beside the running service')
    .argument('[file]', 'where; a name by the time in the configured directory when absent')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('backup', 'backup /mnt/safe/before-upgrade.db --json'))
    .action(async (file, options) => done(await (await import('./backup.js')).backup(file, options)));
  program
    .command('restore')
    .description('make a backup the database; stop the service first')
    .argument('<file>', 'a backup')
    .option('--force', 'also where a database is: it is moved aside', false)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('restore data/backups/wakewell-20260131T031200Z.db --force'))
    .action(async (file, options) => done((await import('./restore.js')).restore(file, options)));
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  wakewell ${line}`).join('\n')}`;
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
