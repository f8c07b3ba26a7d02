/**
 * NVIDIA's DCGM exporter, one a node, with the default counter file of May 2026. GPU_UTIL is 0 to 100, PROF_* 0 to 1,
 * FB_* MiB. It names the pod that holds a GPU in labels of its own, which collide with the target's and so arrive as
 * exported_pod and exported_namespace. One node still runs the exporter from before `Hostname` became `hostname`.
 */

import type { Dialect } from '../dialect.js';
import { NAMESPACE, WORKERS, XID } from '../truth.js';
import { sharedPage } from './pages.js';

const NODES = [
  { node: 'gpu-node-0', hostLabel: 'Hostname' },
  { node: 'gpu-node-1', hostLabel: 'hostname' },
];

export const dcgm: Dialect = {
  engine: 'dcgm',
  honorLabels: false,
  pages: NODES.map(({ node, hostLabel }, index) =>
    sharedPage(
      {
        job: 'dcgm-exporter',
        namespace: 'gpu-operator',
        pod: `dcgm-exporter-${index}`,
        instance: `10.0.2.${index + 1}:9400`,
      },
      'go',
      (page, seconds) => {
        const workers = WORKERS.filter((worker) => worker.node === node);
        const labels = (worker: (typeof workers)[number]) => ({
          gpu: String(worker.gpu.index),
          UUID: worker.gpu.uuid,
          pci_bus_id: `00000000:0${worker.gpu.index}:00.0`,
          device: `nvidia${worker.gpu.index}`,
          modelName: 'NVIDIA H100 80GB HBM3',
          [hostLabel]: node,
          container: 'server',
          namespace: NAMESPACE,
          pod: worker.name,
        });
        const gauge = (name: string, read: (worker: (typeof workers)[number]) => number) =>
          page.gauge(
            `DCGM_FI_${name}`,
            ...workers.map((worker) => ({ labels: labels(worker), value: read(worker) })),
          );
        gauge('DEV_GPU_UTIL', ({ gpu }) => gpu.utilization * 100);
        gauge('PROF_PIPE_TENSOR_ACTIVE', ({ gpu }) => gpu.tensorActive);
        gauge('DEV_FB_USED', ({ gpu }) => gpu.usedMiB);
        gauge('DEV_FB_FREE', ({ gpu }) => gpu.freeMiB);
        gauge('DEV_FB_RESERVED', ({ gpu }) => gpu.reservedMiB);
        gauge('DEV_GPU_TEMP', ({ gpu }) => gpu.celsius);
        gauge('DEV_POWER_USAGE', () => 512.3);
        page.gauge(
          'DCGM_FI_DEV_XID_ERRORS',
          ...workers.map((worker) => {
            const struck = worker.name === XID.worker && seconds >= XID.at;
            const error = struck
              ? { err_code: String(XID.code), err_msg: 'Double Bit ECC Error' }
              : { err_code: '0', err_msg: 'No Error' };
            return { labels: { ...labels(worker), ...error }, value: struck ? XID.code : 0 };
          }),
        );
      },
    ),
  ),
  edges: {},
  failures: [],
  errorTypes: {},
};
