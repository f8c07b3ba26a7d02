/**
 * kube-state-metrics 2.x, whose labels describe other objects than itself and are kept (honorLabels). Restart counters and
 * last reasons stay after recovery; a phase is one series a pod and phase, 1 for the present one.
 */

import type { Dialect } from '../dialect.js';
import { KUBERNETES, NAMESPACE, WORKERS } from '../truth.js';
import { sharedPage } from './pages.js';

const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];
const CONDITIONS = ['true', 'false', 'unknown'];

export const kubeStateMetrics: Dialect = {
  engine: 'kube-state-metrics',
  honorLabels: true,
  pages: [
    sharedPage(
      {
        job: 'kube-state-metrics',
        namespace: 'monitoring',
        pod: 'kube-state-metrics-0',
        instance: '10.0.3.1:8080',
      },
      'go',
      (page, seconds) => {
        const pods = [...new Set([...WORKERS.map(({ name }) => name), ...KUBERNETES.pending])];
        const of = (pod: string, more: Record<string, string> = {}) => ({
          namespace: NAMESPACE,
          pod,
          uid: `uid-${pod}`,
          ...more,
        });
        const isPending = (pod: string) => (KUBERNETES.pending as readonly string[]).includes(pod);
        const isReady = (pod: string) => !(KUBERNETES.notReady as readonly string[]).includes(pod);
        page.gauge(
          'kube_pod_status_phase',
          ...pods.flatMap((pod) =>
            PHASES.map((phase) => ({
              labels: of(pod, { phase }),
              value: phase === (isPending(pod) ? 'Pending' : 'Running') ? 1 : 0,
            })),
          ),
        );
        page.gauge(
          'kube_pod_status_ready',
          ...pods.flatMap((pod) =>
            CONDITIONS.map((condition) => ({
              labels: of(pod, { condition }),
              value: condition === String(isReady(pod)) ? 1 : 0,
            })),
          ),
        );
        page.gauge(
          'kube_pod_info',
          ...pods.map((pod) => ({
            labels: of(pod, {
              node: WORKERS.find(({ name }) => name === pod)?.node ?? '',
              created_by_kind: 'ReplicaSet',
              created_by_name: `${KUBERNETES.deployment}-7d9f`,
            }),
            value: 1,
          })),
        );
        const restarts = (pod: string) => {
          const known = (
            KUBERNETES.restarts as Record<string, { count: number; at: number; reason: string }>
          )[pod];
          return known !== undefined && seconds >= known.at ? known : null;
        };
        page.counter(
          'kube_pod_container_status_restarts_total',
          ...WORKERS.map(({ name }) => ({
            labels: of(name, { container: 'server' }),
            value: restarts(name)?.count ?? 0,
          })),
        );
        page.gauge(
          'kube_pod_container_status_last_terminated_reason',
          ...WORKERS.flatMap(({ name }) => {
            const restart = restarts(name);
            return restart === null
              ? []
              : [{ labels: of(name, { container: 'server', reason: restart.reason }), value: 1 }];
          }),
        );
        page.gauge(
          'kube_pod_container_status_waiting_reason',
          ...KUBERNETES.crashLoops.map((pod) => ({
            labels: of(pod, { container: 'server', reason: 'CrashLoopBackOff' }),
            value: 1,
          })),
        );
        const autoscaler = { namespace: NAMESPACE, horizontalpodautoscaler: KUBERNETES.deployment };
        page.gauge('kube_horizontalpodautoscaler_info', {
          labels: {
            ...autoscaler,
            scaletargetref_kind: 'Deployment',
            scaletargetref_name: KUBERNETES.deployment,
          },
          value: 1,
        });
        page.gauge('kube_horizontalpodautoscaler_status_desired_replicas', {
          labels: autoscaler,
          value: KUBERNETES.autoscaler.desired,
        });
        page.gauge('kube_horizontalpodautoscaler_spec_max_replicas', {
          labels: autoscaler,
          value: KUBERNETES.autoscaler.max,
        });
        const deployment = { namespace: NAMESPACE, deployment: KUBERNETES.deployment };
        page.gauge('kube_deployment_spec_replicas', { labels: deployment, value: KUBERNETES.replicasWanted });
        page.gauge('kube_deployment_status_replicas_available', {
          labels: deployment,
          value: KUBERNETES.replicasAvailable,
        });
        const { resource, used, hard } = KUBERNETES.quota;
        page.gauge(
          'kube_resourcequota',
          { labels: { namespace: NAMESPACE, resourcequota: 'gpu', resource, type: 'used' }, value: used },
          { labels: { namespace: NAMESPACE, resourcequota: 'gpu', resource, type: 'hard' }, value: hard },
        );
      },
    ),
  ],
  edges: {},
  failures: [],
  errorTypes: {},
};
