/** Our intake in a process of its own: webhook, group commit, SQLite with synchronous=FULL. Prints its port. */

import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import express from 'express';
import type { Clock } from '../../src/domain/clock.js';
import { createAlertmanagerWebhook } from '../../src/http/alertmanager-webhook.js';
import { createHttpServer } from '../../src/http/http-server.js';
import { webhookFirst } from '../../src/http/webhook-first.js';
import { createIntake } from '../../src/incidents/receive-group.js';
import type { Logger } from '../../src/log/logger.js';
import { openDatabase } from '../../src/store/database.js';

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
};
const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (fields, message) => console.error(message, fields),
  error: (fields, message) => console.error(message, fields),
  child: () => logger,
};

const EXPLAINED = new Set(['LLMHighTTFT', 'LLMElevatedTTFT', 'LLMPreemptionStorm', 'LLMQueueBuildup']);

const db = openDatabase(`file:${process.argv[2] ?? ''}`, { clock });
const intake = createIntake({
  db,
  clock,
  explains: (cause, other) => cause === 'LLMKVCachePressure' && EXPLAINED.has(other),
  route: (severity) => [
    ...(severity === 'critical' ? [{ receiver: 'pager', kind: 'pagerduty' } as const] : []),
    { receiver: 'slack', kind: 'slack' } as const,
  ],
  reopenWindowMs: 1_800_000,
  resolveHoldMs: 300_000,
  flapping: { cycles: 3, withinMs: 1_800_000, quietMs: 900_000 },
  storm: {
    incidents: 5,
    withinMs: 120_000,
    quietMs: 600_000,
    cardEveryMs: 60_000,
    pageEveryMs: 900_000,
  },
  onCommitted: () => {},
  logger,
});
const webhook = createAlertmanagerWebhook({
  intake,
  tokens: [],
  scopeLabels: ['cluster', 'namespace', 'model'],
  severityMapping: {},
  logger,
});
const server = createHttpServer(webhookFirst(webhook, express())).listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
