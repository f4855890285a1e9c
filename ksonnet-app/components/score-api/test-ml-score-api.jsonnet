// The plain Flask API of py-flask-ml-score-api/: what its kubernetes.yaml holds, with parameters.
local params = std.extVar("__ksonnet/params").components["test-ml-score-api"];
local labels = { app: params.name };

[
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: params.name, labels: labels },
    spec: {
      replicas: params.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: labels },
        spec: {
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          containers: [
            {
              name: params.name,
              image: params.image,
              imagePullPolicy: "IfNotPresent",
              ports: [{ name: "http", containerPort: params.port }],
              readinessProbe: { httpGet: { path: "/health", port: "http" } },
              livenessProbe: { httpGet: { path: "/health", port: "http" }, initialDelaySeconds: 10 },
              resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "256Mi" } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
              volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
            },
          ],
          volumes: [{ name: "tmp", emptyDir: {} }],
        },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: params.name + "-http", labels: labels },
    spec: {
      type: params.serviceType,
      selector: labels,
      ports: [{ name: "http", port: params.port, targetPort: "http" }],
    },
  },
]
