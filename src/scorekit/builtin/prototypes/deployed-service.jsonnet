// @apiVersion 0.1
// @name io.ksonnet.pkg.deployed-service
// @shortDescription A Deployment of one image and a Service for it
// @description A Deployment of one container, and a Service for its pods: 'servicePort' leads to 'containerPort'.
// @param name string The name of the Deployment and the Service
// @param image string The image to run
// @optionalParam servicePort number 80 The port of the Service
// @optionalParam containerPort number 80 The port of the container
// @optionalParam replicas number 1 Number of pods
// @optionalParam type string ClusterIP ClusterIP, NodePort or LoadBalancer
local name = import 'param://name';
local port = import 'param://containerPort';
local labels = { app: name };

[
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: name },
    spec: {
      type: import 'param://type',
      selector: labels,
      ports: [{ port: import 'param://servicePort', targetPort: port }],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: name },
    spec: {
      replicas: import 'param://replicas',
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: labels },
        spec: { containers: [{ name: name, image: import 'param://image', ports: [{ containerPort: port }] }] },
      },
    },
  },
]
