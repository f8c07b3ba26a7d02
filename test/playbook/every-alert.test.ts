import { expect, test } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import { SELF_ALERTS, WATCHDOG } from '../../src/catalog/self-alerts.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { explainsFrom } from '../../src/playbook/explains.js';
import { matchEntry } from '../../src/playbook/match.js';
import { BUILT_IN, entryFor } from '../support/playbooks.js';

const NAMES = [...new Set(ALERTS.map((alert) => alert.name))];

test.each(ALERTS.map((alert) => [`${alert.name} ${alert.severity}`, alert] as const))(
  '%s has an entry of its own, with symptoms, checks and what to do when nothing explains it',
  (_title, { name, severity }) => {
    const { entry, why } = matchEntry(
      BUILT_IN.entries,
      labelsFrom([
        ['alertname', name],
        ['severity', severity],
      ]),
    );

    expect(entry.isDefault, why).toBe(false);
    expect(entry.symptoms.length).toBeGreaterThan(0);
    expect(entry.steps[0]?.id).toBe('kv_cache');
    expect(entry.unclear).toBeTruthy();
  },
);

test.each(SELF_ALERTS.filter(({ name }) => name !== WATCHDOG))('$name has one as well', ({ name }) => {
  expect(matchEntry(BUILT_IN.entries, labelsFrom([['alertname', name]])).entry.isDefault).toBe(false);
});

test.each(NAMES)('%s is what some cause of its entry explains, so that its neighbours join it', (name) => {
  const own = entryFor(name).causes.filter(({ explains }) => explains.includes(name));
  expect(own.length).toBeGreaterThan(0);
});

test('a cause that explains an alert explains its milder levels', () => {
  for (const entry of BUILT_IN.entries)
    for (const cause of entry.causes)
      for (const { name, inhibitedBy } of ALERTS)
        if (inhibitedBy?.some((graver) => cause.explains.includes(graver)) === true)
          expect(cause.explains, `${entry.id} ${cause.id}`).toContain(name);
});

test('warnings join the criticals that follow from the same cause, before anything was diagnosed', () => {
  const explains = explainsFrom(BUILT_IN.entries);
  for (const [cause, other] of [
    ['LLMHighTTFT', 'LLMElevatedTBT'],
    ['LLMHighTTFT', 'LLMElevatedQueue'],
    ['LLMPreemptionStorm', 'LLMElevatedPreemptions'],
    ['LLMHighErrorRate', 'LLMWorkerDown'],
    ['LLMHighTTFT', 'LLMLowGPUUtilization'],
    ['LLMHighTTFT', 'LLMUnusualTTFT'],
    ['LLMStalled', 'LLMHighTTFT'],
  ] as const)
    expect(explains(cause, other), `${cause} ${other}`).toBe(true);
});
