/** The yardstick: Express and zod reading the same body and answering at once, keeping nothing. Prints its port. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { z } from 'zod';

const Labels = z.record(z.string(), z.string());
const Payload = z.looseObject({
  version: z.string(),
  groupKey: z.string(),
  truncatedAlerts: z.number().nullish(),
  status: z.string(),
  receiver: z.string(),
  externalURL: z.string(),
  alerts: z.array(
    z.looseObject({
      status: z.enum(['firing', 'resolved']),
      labels: Labels,
      annotations: Labels,
      startsAt: z.iso.datetime({ offset: true }),
      endsAt: z.iso.datetime({ offset: true }),
      generatorURL: z.string(),
      fingerprint: z.string().nullish(),
    }),
  ),
});

const app = express();
app.post('/api/v1/alertmanager', express.json({ limit: '32mb' }), (request, response) => {
  const payload = Payload.parse(request.body);
  response.json({ alerts: payload.alerts.length });
});
const server = createServer(app).listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
