import { expect, test } from 'vitest';
import { speakingDiagnosis } from '../../src/domain/speaking-diagnosis.js';
import type { Confidence, Diagnosis } from '../../src/domain/verdict.js';

function diagnosis(id: number, confidence: Confidence, over: Partial<Diagnosis> = {}): Diagnosis {
  const verdict = { confidence } as Diagnosis['verdict'];
  return { id, episodeId: 1, trigger: 'joined', verdict, ...over } as Diagnosis;
}

test('a check made while the system recovers does not replace a verdict that was as sure', () => {
  expect(speakingDiagnosis([diagnosis(1, 'high'), diagnosis(2, 'high'), diagnosis(3, 'none')])?.id).toBe(1);
});

test('a surer check replaces an unsure one', () => {
  expect(speakingDiagnosis([diagnosis(1, 'none'), diagnosis(2, 'medium')])?.id).toBe(2);
});

test('a new episode and a person who asks are always heard', () => {
  expect(speakingDiagnosis([diagnosis(1, 'high'), diagnosis(2, 'low', { episodeId: 2 })])?.id).toBe(2);
  expect(speakingDiagnosis([diagnosis(1, 'high'), diagnosis(2, 'low', { trigger: 'asked' })])?.id).toBe(2);
});

test('without a diagnosis nothing speaks', () => {
  expect(speakingDiagnosis([])).toBeNull();
});
