/** The clusters of the measurement: each engine alone, GPUs and Kubernetes beside vLLM, and a fleet of two engines. */

import type { Dialect } from './dialect.js';
import { dcgm } from './dialects/dcgm.js';
import { dynamo } from './dialects/dynamo.js';
import { kubeStateMetrics } from './dialects/kube-state-metrics.js';
import { llm } from './dialects/llm.js';
import { llmD } from './dialects/llm-d.js';
import { nim } from './dialects/nim.js';
import { ray } from './dialects/ray.js';
import { sglang, sglangPages } from './dialects/sglang.js';
import { tgi } from './dialects/tgi.js';
import { triton } from './dialects/triton.js';
import { trtllm } from './dialects/trtllm.js';
import { vllm, vllmPages } from './dialects/vllm.js';
import type { Deployment } from './serve.js';
import { WORKERS } from './truth.js';

/** `measured`: the engines whose cells are read here. */
export type MeasuredDeployment = Deployment & { readonly measured: readonly string[] };

const alone = (dialect: Dialect): MeasuredDeployment => ({
  cluster: `${dialect.engine}-cluster`,
  dialects: [dialect],
  measured: [dialect.engine],
});

/** Half of the workers run vLLM, half SGLang; every worker has to be seen. */
const mixed: Dialect = {
  ...vllm,
  engine: 'mixed',
  pages: [...vllmPages(WORKERS.slice(0, 2)), ...sglangPages(WORKERS.slice(2))],
};

export const MIXED_CLUSTER = 'mixed-cluster';

export const DEPLOYMENTS: readonly MeasuredDeployment[] = [
  ...[llm, vllm, sglang, dynamo, tgi, trtllm, triton, llmD, nim, ray].map(alone),
  {
    cluster: 'kubernetes-cluster',
    dialects: [vllm, dcgm, kubeStateMetrics],
    measured: ['dcgm', 'kube-state-metrics'],
  },
  { cluster: MIXED_CLUSTER, dialects: [mixed], measured: [] },
];
