/** Every alert we generate a rule for. */

import type { AlertDefinition } from './alert-definition.js';
import { DEVIATION_ALERTS } from './deviation-alerts.js';
import { FIXED_ALERTS } from './fixed-alerts.js';
import { IMPLIED_ALERTS } from './implied-alerts.js';

export const ALERTS: readonly AlertDefinition[] = [...FIXED_ALERTS, ...IMPLIED_ALERTS, ...DEVIATION_ALERTS];
