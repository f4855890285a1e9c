// @apiVersion 0.1
// @name io.ksonnet.pkg.single-port-service
// @shortDescription A Service with one port for pods with given labels
// @description A Service: a connection to 'servicePort' reaches 'targetPort' of one of the pods that have all labels in
//   'targetLabelSelector'.
// @param name string The name of the Service
// @param targetLabelSelector object Labels of the pods, such as {app: 'web'}
// @optionalParam servicePort number 80 The port of the Service
// @optionalParam targetPort number 80 The port of the pods
// @optionalParam protocol string TCP TCP or UDP
// @optionalParam serviceType string ClusterIP ClusterIP, NodePort or LoadBalancer
{
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: import 'param://name' },
  spec: {
    type: import 'param://serviceType',
    selector: import 'param://targetLabelSelector',
    ports: [
      {
        protocol: import 'param://protocol',
        port: import 'param://servicePort',
        targetPort: import 'param://targetPort',
      },
    ],
  },
}
