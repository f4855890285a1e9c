// What all workloads here have in common: labels, and pods that meet the Pod Security level "restricted".
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

  // The security context of a pod; `user` is the uid that it runs as.
  podSecurity(user):: {
    runAsNonRoot: true,
    runAsUser: user,
    seccompProfile: { type: 'RuntimeDefault' },
  },

  // The security context of a container.
  containerSecurity:: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  },

  // The replicas of a Deployment. An autoscaler owns their number, if there is one.
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

  // `most` is how many pods may be unavailable at once: a number, or a share such as "25%".
  disruptionBudget(metadata, matchLabels, most):: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata,
    spec: { maxUnavailable: $.numberOrShare(most), selector: { matchLabels: matchLabels } },
  },

  numberOrShare(value):: if std.isString(value) && !std.endsWith(value, '%') then std.parseInt(value) else value,
}
