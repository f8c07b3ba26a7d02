/** From an alert's expression to the quantity it compares: `a / b > 0.05 and c > 1` → `a / b`. Best effort. */

import { parser } from '@prometheus-io/lezer-promql';

export type Quantity = {
  readonly expression: string;
  /** Which of several series is quoted: the one furthest past the limit. */
  readonly worst: 'max' | 'min';
};

const MAX_CHARS = 8000;
const FLIPPED: Readonly<Record<string, 'max' | 'min'>> = { Gtr: 'max', Gte: 'max', Lss: 'min', Lte: 'min' };
const COMPARISONS = new Set(['Gtr', 'Gte', 'Lss', 'Lte', 'EqlC', 'Neq', 'Eql']);
const SET_OPERATORS = new Set(['And', 'Or', 'Unless']);

type Node = ReturnType<typeof parser.parse>['topNode'];

/** What cannot be taken apart is returned as it is. Never throws. */
export function stripComparison(expression: string): Quantity {
  const whole: Quantity = { expression, worst: 'max' };
  if (expression.length > MAX_CHARS) return whole;
  const tree = parser.parse(expression);
  let node: Node | null = tree.topNode.firstChild;
  let worst: 'max' | 'min' = 'max';
  for (let depth = 0; node !== null && depth < 50; depth += 1) {
    if (node.type.isError) return whole;
    if (node.name === 'ParenExpr') {
      const inner: Node | null = node.firstChild;
      if (inner === null) break;
      node = inner;
      continue;
    }
    if (node.name !== 'BinaryExpr') break;
    const left: Node | null = node.firstChild;
    const right: Node | null = node.lastChild;
    const operator = left?.nextSibling?.name ?? '';
    if (left === null || right === null) break;
    if (SET_OPERATORS.has(operator)) {
      node = left;
      continue;
    }
    if (!COMPARISONS.has(operator)) break;
    const numberFirst = isNumber(left);
    worst = FLIPPED[operator] ?? 'max';
    if (numberFirst) worst = worst === 'max' ? 'min' : 'max';
    node = numberFirst ? right : left;
  }
  if (node === null) return whole;
  return { expression: expression.slice(node.from, node.to), worst };
}

function isNumber(node: Node): boolean {
  return node.name === 'NumberDurationLiteral' || node.name === 'NumberLiteral' || node.name === 'UnaryExpr';
}
