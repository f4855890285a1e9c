// @apiVersion 0.1
// @name io.ksonnet.pkg.single-port-deployment
// @shortDescription A Deployment of one image with one port
// @description A Deployment whose pods have one container. Their label 'app' is the name of the Deployment, so that a
//   Service can select them.
// @param name string The name of the Deployment and of its container
// @param image string The image to run
// @optionalParam replicas number 1 Number of pods
// @optionalParam containerPort number 80 The port of the container
local name = import 'param://name';
local labels = { app: name };

{
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: name },
  spec: {
    replicas: import 'param://replicas',
    selector: { matchLabels: labels },
    template: {
      metadata: { labels: labels },
      spec: {
        containers: [
          {
            name: name,
            image: import 'param://image',
            ports: [{ containerPort: import 'param://containerPort' }],
          },
        ],
      },
    },
  },
}
