/** The generated files of deploy/, by path from the project's root. */

import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateDashboard } from '../../src/generate/dashboard.js';

export function generatedFiles(): [string, string][] {
  const engines = loadEngineFiles(builtInEnginesDirectory());
  const thresholds = DEFAULT_THRESHOLDS;
  return [['deploy/grafana/dashboards/llm-serving.json', generateDashboard({ engines, thresholds })]];
}
