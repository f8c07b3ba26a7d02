/** Whether an expression can answer anything at all, given which metrics have series. By its syntax, without asking. */

import { parser } from '@prometheus-io/lezer-promql';

type Node = ReturnType<typeof parser.parse>['topNode'];

/** Names of the metrics that an expression reads, each once. One without a plain name is left out. */
export function metricsOf(expression: string): string[] {
  const names = new Set<string>();
  const walk = (node: Node) => {
    if (node.name === 'VectorSelector') {
      const name = nameOf(node, expression);
      if (name !== null) names.add(name);
      return;
    }
    for (const child of childrenOf(node)) walk(child);
  };
  walk(parser.parse(expression).topNode);
  return [...names];
}

/**
 * False where the expression must stay empty: every selector that it cannot do without reads a metric without
 * series. `or` needs one side, `unless` its left one, any other operator both; `absent` answers to nothing.
 */
export function canAnswer(expression: string, present: ReadonlySet<string>): boolean {
  return possible(parser.parse(expression).topNode, expression, present);
}

function possible(node: Node, text: string, present: ReadonlySet<string>): boolean {
  switch (node.name) {
    case 'VectorSelector': {
      const name = nameOf(node, text);
      return name === null || present.has(name);
    }
    case 'FunctionCall':
      if (/^absent/.test(text.slice(node.from, node.to))) return true;
      break;
    case 'BinaryExpr': {
      const sides = childrenOf(node).filter(isOperand);
      const [left, right] = sides;
      if (left === undefined || right === undefined) break;
      const canLeft = possible(left, text, present);
      if (node.getChild('Or') !== null) return canLeft || possible(right, text, present);
      if (node.getChild('Unless') !== null) return canLeft;
      return canLeft && possible(right, text, present);
    }
  }
  return childrenOf(node).every((child) => possible(child, text, present));
}

const OPERANDS =
  /^(?:VectorSelector|FunctionCall|AggregateExpr|ParenExpr|BinaryExpr|UnaryExpr|NumberDurationLiteral|StringLiteral|SubqueryExpr|OffsetExpr|StepInvariantExpr|MatrixSelector)$/;

function isOperand({ name }: Node): boolean {
  return OPERANDS.test(name);
}

function nameOf(selector: Node, text: string): string | null {
  const identifier = selector.getChild('Identifier');
  if (identifier !== null) return text.slice(identifier.from, identifier.to);
  const matcher = /__name__\s*=\s*"([^"\\]+)"/.exec(text.slice(selector.from, selector.to));
  return matcher?.[1] ?? null;
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}
