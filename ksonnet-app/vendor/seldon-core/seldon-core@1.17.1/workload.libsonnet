// What every workload here has in common: labels, and pods that pass Pod Security's level "restricted".
local values = import 'values.libsonnet';

{
  labels(params, part):: {
    'app.kubernetes.io/name': params.name,
    'app.kubernetes.io/component': part,
    'app.kubernetes.io/managed-by': 'ksonnet',
  },

  metadata(params, namespace, name, part):: {
    name: name,
    namespace: namespace,
    labels: $.labels(params, part),
  },

  // Of a pod. `user` is the uid that it runs as.
  podSecurity(user):: {
    runAsNonRoot: true,
    runAsUser: user,
    seccompProfile: { type: 'RuntimeDefault' },
  },

  // Of a container.
  containerSecurity:: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  },

  // Of a Deployment that may have an autoscaler, which then owns the number of replicas.
  scaled(replicas, most):: if most > replicas then {} else { replicas: replicas },

  autoscaler(metadata, deployment, least, most, cpu):: {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment },
      minReplicas: least,
      maxReplicas: most,
      metrics: [$.cpuMetric(cpu)],
    },
  },

  cpuMetric(percent):: {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
  },

  // `most` is how many pods may be away at once: a number or a share such as "25%".
  disruptionBudget(metadata, matchLabels, most):: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata,
    spec: { maxUnavailable: $.numberOrShare(most), selector: { matchLabels: matchLabels } },
  },

  numberOrShare(value):: if std.isString(value) && !std.endsWith(value, '%') then std.parseInt(value) else value,
}
