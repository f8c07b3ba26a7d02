import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../src/domain/clock.js';
import { readCommand } from '../../src/slack/read-command.js';
import { anAlert } from '../support/build.js';
import { commandBody } from '../support/signed-slack.js';
import { slackHarness } from './slack-harness.js';

describe('reading', () => {
  test.each([
    ['', { name: 'help' }],
    ['  help ', { name: 'help' }],
    ['ack 412', { name: 'ack', incidentId: 412, text: '' }],
    ['ACK INC-412', { name: 'ack', incidentId: 412, text: '' }],
    ['acknowledge inc412 on it,  now', { name: 'ack', incidentId: 412, text: 'on it,  now' }],
    [
      'resolve 412 gateway cap &lt;16k&gt; &amp; done',
      { name: 'resolve', incidentId: 412, text: 'gateway cap <16k> & done' },
    ],
    ['note 412 two\nlines', { name: 'note', incidentId: 412, text: 'two\nlines' }],
    ['note 412 &amp;lt;', { name: 'note', incidentId: 412, text: '&lt;' }],
    ['re-run 412', { name: 'rerun', incidentId: 412, text: '' }],
    ['show 412', { name: 'show', incidentId: 412 }],
    [
      'silence 412 1h30m a rollout',
      { name: 'silence', incidentId: 412, forMs: 5_400_000, text: 'a rollout' },
    ],
    ['silence 412', { name: 'silence', incidentId: 412, forMs: null, text: '' }],
    ['silence 412 soon', { name: 'silence', incidentId: 412, forMs: null, text: '' }],
    ['ack', { name: 'which', word: 'ack' }],
    ['ack 0', { name: 'which', word: 'ack' }],
    ['ack me', { name: 'which', word: 'ack' }],
    ['akc 412', { name: 'unknown', word: 'akc', near: 'ack' }],
    ['constructor 1', { name: 'unknown', word: 'constructor', near: null }],
    ['list', { name: 'list', state: ['open', 'acknowledged'], severity: null, words: '' }],
    [
      'list acked crit llama 70b',
      { name: 'list', state: ['acknowledged'], severity: 'critical', words: 'llama 70b' },
    ],
  ])('%j', (typed, command) => {
    expect(readCommand(typed)).toEqual(command);
  });
});

describe('/incident', () => {
  test('alone says what is open and what can be typed', async () => {
    const h = await slackHarness();

    const text = await h.command('');

    expect(text).toMatch(
      /^:red_circle: <https:\/\/wakewell\.example\/i\/1\|INC-1> critical, open, 1m: LLMHighTTFT on llama-70b\/prod-us: KV full 97% on 7 of 8\n/,
    );
    expect(text).toContain('`/incident ack 412 [comment]`');
  });

  test('list filters, searches and counts what it does not show', async () => {
    const h = await slackHarness();
    for (let i = 0; i < 11; i += 1) await h.receive(anAlert({ labels: { model: `m-${i}` } }));

    expect((await h.command('list')).split('\n')).toHaveLength(11);
    expect(await h.command('list')).toContain(
      'and older ones: <https://wakewell.example/incidents|all incidents>',
    );
    expect(await h.command('list m-7')).toMatch(
      /^:red_circle: \S+ critical, open, 0s: LLMHighTTFT on m-7\/prod-us$/,
    );
    expect(await h.command('list resolved')).toBe(':white_check_mark: No incident fits.');
  });

  test('show draws the card with its buttons', async () => {
    const h = await slackHarness();
    const body = commandBody('show inc1');

    const answer = JSON.parse((await h.signed('/slack/commands', body)).text);

    expect(answer.text).toMatch(/^CRIT TTFT p99 11\.8s/);
    expect(answer.blocks.at(-1)).toMatchObject({ type: 'actions' });
    expect(await h.command('show 9')).toBe('There is no INC-9.');
  });

  test('ack takes it with a comment and says what to do first', async () => {
    const h = await slackHarness();

    const text = await h.command('ack 1 looking');

    expect(text).toBe(
      'INC-1 is yours. Pager and card are being told. Do first: Shed long prompts at the router',
    );
    expect(await h.story()).toContain('acknowledged: Acknowledged: looking');
    expect(await h.command('ack INC-1')).toBe('INC-1 is already acknowledged by mia 0s ago.');
  });

  test('resolve says what still fires, and reopen brings it back', async () => {
    const h = await slackHarness();

    expect(await h.command('resolve 1 gateway cap 16k')).toBe(
      'INC-1 is resolved. Pager and card are being told. Its alert still fires: it reopens when one fires anew.',
    );
    expect(await h.story()).toContain('resolved: Resolved: gateway cap 16k');
    await h.clock.advance(MINUTE);
    expect(await h.command('ack 1')).toBe('Not done: INC-1 is resolved by mia 1m ago.');
    expect(await h.command('reopen 1')).toBe('INC-1 is open again.');
    expect(await h.command('reopen 1')).toBe('INC-1 is open and critical, not resolved.');
  });

  test('note and rerun', async () => {
    const h = await slackHarness();

    expect(await h.command('note 1 scaled to 10')).toBe('Noted on INC-1.');
    expect(await h.command('note 1')).toBe('What is the note? `/incident note 1 …`');
    expect(await h.command('rerun 1')).toMatch(/^Running the checks of INC-1 again/);
    expect(await h.command('rerun 1')).toBe('The checks of INC-1 are about to run already.');
    expect(await h.story()).toContain('note: scaled to 10');
  });

  test('asks which incident is meant, and what word', async () => {
    const h = await slackHarness();

    expect(await h.command('ack')).toBe(
      'Which incident? For example `/incident ack 412`.\n`/incident ack 1` LLMHighTTFT on llama-70b/prod-us: KV full 97% on 7 of 8',
    );
    expect(await h.command('nota 1 x')).toBe(
      '`nota` is no word of mine. Did you mean `note`? `/incident help` lists them.',
    );
    expect(await h.command('<!channel>')).not.toContain('<!channel>');
  });
});
