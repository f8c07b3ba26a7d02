/** The Grafana dashboard of served models, as JSON that Grafana imports or is provisioned with. */

import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  type DataSourceRef,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as GaugeBuilder } from '@grafana/grafana-foundation-sdk/gauge';
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { EngineFile } from '../catalog/engine-file.js';
import type { Thresholds } from '../catalog/thresholds.js';
import { dashboardRows, type PanelPlan } from './dashboard-panels.js';
import type { PanelQuery } from './dashboard-queries.js';

export type DashboardOptions = {
  readonly engines: readonly EngineFile[];
  readonly thresholds: Thresholds;
  /** Only this engine's names; all engines' when absent. */
  readonly engine?: string;
};

const UID = 'wakewell-llm-serving';
const SOURCE = { type: 'prometheus', uid: '$datasource' };

/** Grafana's grid is 24 wide. */
const HEIGHT = 8;
const WIDTH = { timeseries: 8, stat: 4, gauge: 8, heatmap: 12, table: 24 } as const;

/** Throws for an engine that there is no file of. */
export function generateDashboard(options: DashboardOptions): string {
  // GPUs and Kubernetes belong to any engine's dashboard.
  const engines = options.engines.filter(
    ({ engine, role }) => options.engine === undefined || engine === options.engine || role === 'companion',
  );
  if (!engines.some(({ role }) => role !== 'companion')) {
    const known = options.engines.map(({ engine }) => engine).join(', ');
    throw new Error(`no engine file is called "${options.engine ?? ''}"; known: ${known}`);
  }
  const builder = new DashboardBuilder('LLM serving')
    .uid(UID)
    .tags(['llm', 'inference'])
    .timezone('utc')
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const [name, label] of [
    ['cluster', 'Cluster'],
    ['namespace', 'Namespace'],
    ['model', 'Model'],
  ] as const)
    builder.withVariable(variable(name, label, engines));
  for (const row of dashboardRows(engines, options.thresholds)) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panelOf(panel));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

/** All values that the engines' probes have of a scope label; one may be chosen, or all. */
function variable(name: string, label: string, engines: readonly EngineFile[]): QueryVariableBuilder {
  const serving = engines.filter(({ role }) => role !== 'companion');
  const parts = serving.map(({ probe, labels }) => {
    const own = labels[name] ?? name;
    const series = own === name ? probe : `label_replace(${probe}, "${name}", "$1", "${own}", "(.+)")`;
    return `group by (${name}) (${series})`;
  });
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCE)
    .query({ query: `query_result(${parts.join(' or ')})`, refId: name })
    .regex(`/${name}="([^"]+)"/`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

function panelOf(plan: PanelPlan): Builder<Panel> {
  const format =
    plan.kind === 'heatmap'
      ? PromQueryFormat.Heatmap
      : plan.kind === 'table'
        ? PromQueryFormat.Table
        : undefined;
  const targets = plan.queries.map((query, index) => target(query, index, format));
  const panel = builderOf(plan.kind)
    .title(plan.title)
    .description(plan.description)
    .datasource(SOURCE as DataSourceRef)
    .unit(plan.unit)
    .height(HEIGHT)
    .span(WIDTH[plan.kind])
    .targets(targets);
  if (plan.kind === 'table') panel.transformations([{ id: 'merge', options: {} }]);
  if (plan.steps !== undefined) {
    const steps = plan.steps.map(([value, color]) => ({ value, color }));
    panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
  }
  return panel;
}

function builderOf(kind: PanelPlan['kind']) {
  switch (kind) {
    case 'stat':
      return new StatBuilder();
    case 'gauge':
      return new GaugeBuilder();
    case 'heatmap':
      return new HeatmapBuilder();
    case 'table':
      return new TableBuilder();
    case 'timeseries':
      return new TimeseriesBuilder();
  }
}

function target(
  { expr, legend }: PanelQuery,
  index: number,
  format: PromQueryFormat | undefined,
): DataqueryBuilder {
  const query = new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId(index)).datasource(SOURCE);
  if (format !== undefined) query.format(format);
  return format === PromQueryFormat.Table ? query.instant() : query.range();
}

/** A, B … Z, A1 … */
function refId(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${letter}${Math.floor(index / 26)}`;
}
