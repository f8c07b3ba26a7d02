/** The readable part of a result: the confusion matrix, what follows from it, and every case worth a look. */

import { groupBy } from './group-by.js';
import {
  type Counts,
  classOf,
  hasFault,
  isDiagnosed,
  isFalse,
  isRight,
  type RunResult,
  type Score,
  saysUnseen,
} from './score.js';
import { truthOf } from './truths.js';

export function reportLines(results: readonly RunResult[], score: Score): string[] {
  return [
    'What was wrong, and what the verdict named:',
    ...matrix(score.confusion.cause),
    '',
    'By load and by engine:',
    ...matrix({ ...score.confusion.load, ...score.confusion.engine }),
    '',
    ...alertLines(results),
    '',
    ...blindLines(results),
    ...loopLines(results),
  ];
}

function matrix(counts: Counts): string[] {
  return Object.entries(counts)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([row, cells]) => {
      const total = Object.values(cells).reduce((sum, one) => sum + one, 0);
      const text = Object.entries(cells)
        .toSorted(([, a], [, b]) => b - a)
        .map(([cause, times]) => `${marked(row, cause)} ${times}`)
        .join(', ');
      return `  ${row.padEnd(18)} ${String(total).padStart(4)}  ${text}`;
    });
}

/** What is right stands in brackets. */
function marked(row: string, cause: string): string {
  try {
    return truthOf(row).causes.includes(cause) ? `[${cause}]` : cause;
  } catch {
    return cause;
  }
}

function alertLines(results: readonly RunResult[]): string[] {
  const names = groupBy(results, ({ alert }) => alert?.name ?? 'none');
  return [
    'Alert that led, and minutes from onset to it (median):',
    ...[...names].map(([name, runs]) => {
      const minutes = runs.flatMap(({ alert }) => (alert === null ? [] : [alert.afterMs / 60_000]));
      const middle = minutes.toSorted((a, b) => a - b)[Math.floor(minutes.length / 2)];
      return `  ${name.padEnd(24)} ${runs.length}${middle === undefined ? '' : `, ${middle.toFixed(1)} min`}`;
    }),
  ];
}

function blindLines(results: readonly RunResult[]): string[] {
  const blind = results.filter((run) => run.blind !== null && isDiagnosed(run));
  if (blind.length === 0) return [];
  const said = blind.filter(saysUnseen).length;
  const high = blind.filter((run) => run.blind?.verdict.confidence === 'high').length;
  return [
    `Blind: ${blind.length} runs, ${said} say what they miss, ${high} with high confidence all the same`,
    ...blind
      .filter((run) => !saysUnseen(run) || run.blind?.verdict.confidence === 'high')
      .slice(0, 20)
      .map(
        ({ plan, blind: seen }) =>
          `  ${plan.id} ${classOf(plan)} ${plan.engine}: ${seen?.verdict.cause ?? 'unclear'} (${seen?.verdict.confidence})`,
      ),
  ];
}

function loopLines(results: readonly RunResult[]): string[] {
  const loops = results.flatMap(({ plan, loop }) => (loop === null ? [] : [{ plan, loop }]));
  if (loops.length === 0) return [];
  const lost = loops.filter(({ loop }) => loop.differs && loop.fixMinutes >= loop.wrongMinutes);
  return [
    `Closed loop: ${loops.length} runs, ${loops.filter(({ loop }) => loop.differs).length} where the fixes differ by more than a minute`,
    ...lost.map(
      ({ plan, loop }) =>
        `  wrong fix wins: ${plan.id} ${classOf(plan)}: ${loop.lever} ${loop.fixMinutes.toFixed(1)} min, ` +
        `${loop.tempting} ${loop.wrongMinutes.toFixed(1)} min, nothing ${loop.nothingMinutes.toFixed(1)} min`,
    ),
  ];
}

/** What each blind verdict says that it did not see. */
export function unseenLines(results: readonly RunResult[]): string[] {
  return results.flatMap((run) => {
    if (run.blind === null) return [];
    const { cause, confidence, unseen } = run.blind.verdict;
    return [
      `${run.plan.id} ${classOf(run.plan)} ${run.plan.engine} blind: ${cause ?? 'unclear'} (${confidence})`,
      ...unseen.map((text) => `    ${text}`),
    ];
  });
}

/** One line a wrong run, for whoever looks for the reason. */
export function wrongLines(results: readonly RunResult[]): string[] {
  return results
    .filter(isDiagnosed)
    .filter((run) => (hasFault(run.plan) ? !isRight(run) : isFalse(run)))
    .map(({ plan, diagnosis }) => {
      const { cause, confidence, contributing, why } = diagnosis.verdict;
      return (
        `${plan.id} ${plan.mechanisms.join('+')} sev ${plan.severity.toFixed(2)} ${plan.workers}w load ${plan.loadFactor} ` +
        `${plan.engine} ${diagnosis.alertName}: ${cause ?? 'unclear'} (${confidence}; ${why}) + ${contributing.join(' ')}`
      );
    });
}
