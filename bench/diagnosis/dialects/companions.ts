/**
 * What stands beside the engines of a cluster: NVIDIA's DCGM exporter (default counter file of 2026; GPU_UTIL 0 to 100,
 * FB_* in MiB) and kube-state-metrics 2.x, scraped with honor_labels.
 */

import type { FleetSnapshot } from '../../../src/simulator/snapshot.js';
import type { SnapshotPage } from './snapshot-dialect.js';

const MIB = 2 ** 20;
/** Held back by the driver, as on an H100. */
const RESERVED_MIB = 559;

export function companionPages(snapshot: FleetSnapshot): SnapshotPage[] {
  const { namespace } = snapshot.place;
  const dcgm: SnapshotPage = {
    target: {
      job: 'dcgm-exporter',
      namespace: 'gpu-operator',
      pod: 'dcgm-exporter-0',
      instance: '10.0.2.1:9400',
    },
    write(page) {
      for (const [index, worker] of snapshot.workers.entries()) {
        if (!worker.isPresent) continue;
        const labels = {
          gpu: String(index % 8),
          UUID: `GPU-${index}`,
          modelName: 'NVIDIA H100 80GB HBM3',
          Hostname: `gpu-node-${Math.floor(index / 8)}`,
          container: 'server',
          exported_namespace: namespace,
          exported_pod: worker.name,
        };
        const used = worker.gpuMemoryUsed / MIB;
        page.value('DCGM_FI_DEV_GPU_UTIL', labels, Math.round(worker.gpuUtilisation * 100));
        page.value('DCGM_FI_DEV_FB_USED', labels, Math.round(used));
        page.value(
          'DCGM_FI_DEV_FB_FREE',
          labels,
          Math.round(worker.gpuMemoryTotal / MIB - used - RESERVED_MIB),
        );
        page.value('DCGM_FI_DEV_FB_RESERVED', labels, RESERVED_MIB);
      }
    },
  };
  const kubeStateMetrics: SnapshotPage = {
    target: {
      job: 'kube-state-metrics',
      namespace: 'monitoring',
      pod: 'kube-state-metrics-0',
      instance: '10.0.3.1:8080',
    },
    honorsLabels: true,
    write(page) {
      for (const worker of snapshot.workers.filter(({ isPresent }) => isPresent)) {
        const labels = { namespace, pod: worker.name, uid: `uid-${worker.name}` };
        page.value('kube_pod_status_phase', { ...labels, phase: 'Running' }, 1);
        page.value('kube_pod_status_phase', { ...labels, phase: 'Pending' }, 0);
        page.value('kube_pod_status_ready', { ...labels, condition: 'true' }, worker.up ? 1 : 0);
        page.value('kube_pod_status_ready', { ...labels, condition: 'false' }, worker.up ? 0 : 1);
        page.value(
          'kube_pod_container_status_restarts_total',
          { ...labels, container: 'server' },
          worker.restarts,
        );
      }
      const deployment = { namespace, deployment: 'decode' };
      page.value('kube_deployment_spec_replicas', deployment, snapshot.workers.length);
      page.value(
        'kube_deployment_status_replicas_available',
        deployment,
        snapshot.workers.filter(({ up }) => up).length,
      );
    },
  };
  return [dcgm, kubeStateMetrics];
}
