import { test } from 'vitest';
import { assertModel, SEEDS } from './assert-model.js';

test(`any sequence keeps the invariants (${SEEDS} seeds)`, { timeout: 86_400_000 }, () => assertModel(2));
