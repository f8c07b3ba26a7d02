/** Decides what the findings mean. Pure: same evidence, same verdict; no clock, no network, no model. */

import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import type { Scope } from '../domain/scope.js';
import type { Confidence, Finding, RuledOut, Verdict } from '../domain/verdict.js';
import type { PlaybookEntry, Requirement } from '../playbook/schema.js';
import { unclearVerdict } from './unclear-verdict.js';
import { shorten } from './verdict-short.js';
import { type CauseWeight, type FindingsById, weigh, weighCause } from './weigh-cause.js';
import { createWording, type Wording } from './wording.js';

export type VerdictContext = {
  /** Fills `{scope.namespace}` in commands. */
  readonly scope?: Scope;
  /** Those of the catalog when absent. */
  readonly thresholds?: Readonly<Record<string, number>>;
};

const RANK: Readonly<Record<Confidence, number>> = { high: 3, medium: 2, low: 1, none: 0 };
/** Shed or reroute first, then scale, then what needs a restart. */
const NEEDS: readonly string[] = ['none', 'scale', 'restart'];
const MAX_WRONG_FIXES = 3;
const NOBODY = { lead: null, contributing: [] } as const;

/** Never throws for findings of any combination. */
export function decideVerdict(
  entry: PlaybookEntry,
  found: readonly Finding[],
  context: VerdictContext = {},
): Verdict {
  const thresholds = context.thresholds ?? DEFAULT_THRESHOLDS;
  const byId: FindingsById = new Map(found.map((finding) => [finding.stepId, finding]));
  // Whatever order they come in, they are weighed and told in the entry's.
  const own = new Set(entry.steps.map((step) => step.id));
  const findings = [
    ...entry.steps.flatMap((step) => byId.get(step.id) ?? []),
    ...found.filter((finding) => !own.has(finding.stepId)),
  ];
  const weights = entry.causes.map((cause) => weighCause(cause, byId, thresholds));
  const wording = createWording(entry, byId, { scope: context.scope ?? {}, thresholds });
  // Nothing was seen: no cause may be read out of what is not there.
  const blind = !findings.some(({ status }) => status === 'ok' || status === 'fail');
  const { lead, contributing } = blind ? NOBODY : chooseLead(weights);
  const ruledOut = blind ? [] : ruledOutCauses(weights, byId, wording);
  const unseen = unseenThings(findings, lead?.absentSteps ?? []);
  if (lead === null) return { ...unclearVerdict(entry, findings, wording), ruledOut, unseen };

  const { cause } = lead;
  const rival = openRival(lead, weights);
  const confidence = capped(lead, rival, byId);
  return {
    cause: cause.id,
    says: wording.text(cause.says),
    short: shorten(wording.text(cause.short)),
    confidence,
    why:
      reasonFor(lead) +
      (rival === null ? '' : `; ${rival.cause.id} not excluded (${rival.openFor} not seen)`),
    contributing: contributing.map((one) => one.cause.id),
    evidence: [...new Set(lead.requires.filter((one) => one.state === 'met').map((one) => one.step))],
    ruledOut,
    absent: absentThings(lead),
    unseen,
    fixes: fixesOf(lead, weights, byId, thresholds, wording),
    wrongFixes: [lead, ...contributing]
      .flatMap((one) => one.cause.doNot)
      .slice(0, MAX_WRONG_FIXES)
      .map(({ fix, because }) => ({ fix: wording.text(fix), because: wording.text(because) })),
    explains: cause.explains,
  };
}

/**
 * The leading cause and those that hold beside it. Where two hold and one is declared to beat the other it
 * leads, unless it is less sure; else the surer one, the one with more checks for it, the one written first.
 */
function chooseLead(weights: readonly CauseWeight[]): {
  readonly lead: CauseWeight | null;
  readonly contributing: readonly CauseWeight[];
} {
  const holding = weights.filter((one) => one.confidence !== 'none');
  const beaten = new Set(
    holding
      .filter((one) =>
        holding.some(
          (other) =>
            other.cause.beats.includes(one.cause.id) && RANK[other.confidence] >= RANK[one.confidence],
        ),
      )
      .map((one) => one.cause.id),
  );
  // Causes that beat each other in a circle would leave nobody.
  const standing = holding.filter((one) => !beaten.has(one.cause.id));
  const ordered = [...(standing.length > 0 ? standing : holding)].sort(
    (a, b) =>
      RANK[b.confidence] - RANK[a.confidence] ||
      b.met - b.unmet - (a.met - a.unmet) ||
      weights.indexOf(a) - weights.indexOf(b),
  );
  const lead = ordered[0] ?? null;
  const contributing = holding.filter((one) => one !== lead && RANK[one.confidence] >= RANK.medium);
  return { lead, contributing };
}

/**
 * How sure the lead is after all: medium at most where nobody measures something that it requires, or where a cause
 * that would lead instead is not excluded; low where nothing at all was seen of what that one stands on.
 */
function capped(lead: CauseWeight, rival: CauseWeight | null, findings: FindingsById): Confidence {
  const blind = rival !== null && findings.get(rival.openFor ?? '')?.numbers.value === undefined;
  const most: Confidence = blind ? 'low' : rival !== null || lead.absentSteps.length > 0 ? 'medium' : 'high';
  return RANK[most] < RANK[lead.confidence] ? most : lead.confidence;
}

/** A cause that would lead instead, and was neither seen nor excluded: then the lead is not certain. */
function openRival(lead: CauseWeight, weights: readonly CauseWeight[]): CauseWeight | null {
  return (
    weights.find(
      ({ cause, openFor, confidence }) =>
        openFor !== null && confidence === 'none' && cause.beats.includes(lead.cause.id),
    ) ?? null
  );
}

/** "3 checks for, 0 against, 1 not seen (kv_cache)". */
function reasonFor(weight: CauseWeight): string {
  const plural = (count: number) => (count === 1 ? '1 check' : `${count} checks`);
  const blind =
    weight.unknownSteps.length === 0
      ? ''
      : `, ${weight.unknownSteps.length} not seen (${weight.unknownSteps.join(', ')})`;
  const single = weight.confidence === 'low' && weight.met === 1 ? '; one signal only' : '';
  return `${plural(weight.met)} for, ${weight.unmet} against${blind}${single}`;
}

function ruledOutCauses(
  weights: readonly CauseWeight[],
  findings: FindingsById,
  wording: Wording,
): RuledOut[] {
  return weights.flatMap(({ cause, ruledOutBy, confidence }) => {
    if (ruledOutBy === null || confidence !== 'none') return [];
    const finding = findings.get(ruledOutBy);
    const because = finding === undefined ? ruledOutBy : `${finding.title}: ${finding.says}`;
    return [{ cause: cause.id, says: wording.text(cause.says), because }];
  });
}

/** In the words of the playbook: what was looked for that would speak against the lead, and is not there. */
function absentThings({ refuters }: CauseWeight): string[] {
  return refuters
    .filter(({ state }) => state === 'unmet')
    .map(({ requirement, step }) => requirement.means ?? refuterText(requirement, step));
}

function refuterText({ anyOf }: Requirement, step: string): string {
  const one = anyOf.find((alternative) => alternative.step === step) ?? anyOf[0];
  return one === undefined ? step : `${one.step} ${one.text}`;
}

/** One sentence a thing: steps without a result, steps that missed some workers, and what the lead requires and nobody measures. */
function unseenThings(findings: readonly Finding[], absentSteps: readonly string[]): string[] {
  return findings.flatMap((finding) => {
    if (finding.status === 'unknown' || absentSteps.includes(finding.stepId))
      return [`${finding.title}: ${finding.says}`];
    if ((finding.numbers.unseen ?? 0) === 0) return [];
    return [`${finding.title}: ${finding.says.split('; ').at(-1) ?? ''}`];
  });
}

function fixesOf(
  lead: CauseWeight,
  weights: readonly CauseWeight[],
  findings: FindingsById,
  thresholds: Readonly<Record<string, number>>,
  wording: Wording,
): Verdict['fixes'] {
  // A cause that this entry does not weigh cannot speak against a fix; the loader compares those it does.
  const isRuledOut = (id: string) =>
    weights.every(
      (one) =>
        one.cause.id !== id ||
        // What the engine cannot have, because nothing of it measures that, is no reason to hold a fix back.
        (one.confidence === 'none' && (one.ruledOutBy !== null || one.requires[0]?.state === 'absent')),
    );
  return (
    lead.cause.fixes
      .filter((fix) => fix.onlyIf === null || weigh(fix.onlyIf, findings, thresholds).state === 'met')
      // A fix that would hurt under another cause needs that cause excluded, not merely unseen.
      .filter((fix) => fix.unless.every(isRuledOut))
      .map((fix) => ({
        do: wording.text(fix.do),
        command: wording.command(fix.command),
        expect: fix.expect === null ? null : wording.text(fix.expect),
        protects: fix.protects,
        needs: fix.needs,
        risk: fix.risk === null ? null : wording.text(fix.risk),
      }))
      .sort((a, b) => NEEDS.indexOf(a.needs) - NEEDS.indexOf(b.needs))
  );
}
