/** The real Alertmanager on a free loopback port. */

import { findBinary, type Launched, launchAlertmanager } from '../../src/prometheus/launch.js';

export const alertmanagerBinary = findBinary(
  ['prometheus-alertmanager', 'alertmanager'],
  process.env.PATH ?? '',
);

/** Tests that need it are skipped where it is missing, but not in CI. */
export const withoutAlertmanager = alertmanagerBinary === null && process.env.CI !== 'true';

export async function startAlertmanager(options: {
  readonly configYaml: string;
  readonly port?: number;
}): Promise<Launched> {
  if (alertmanagerBinary === null)
    throw new Error('Alertmanager is not installed: apt-get install prometheus-alertmanager');
  return launchAlertmanager({ ...options, binary: alertmanagerBinary });
}
