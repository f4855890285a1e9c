// @apiVersion 0.1
// @name io.ksonnet.pkg.single-port-deployment
// @shortDescription Pods of one image that listen on one port
// @description A Deployment that keeps pods with one container running. They have the label 'app', which is the
//   deployment's name; a service finds them by it.
// @param name string The deployment's name, and its container's
// @param image string The image to run
// @optionalParam replicas number 1 How many pods
// @optionalParam containerPort number 80 Where the container listens
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
