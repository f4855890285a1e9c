// @apiVersion 0.1
// @name io.ksonnet.pkg.seldon-abtest-v1
// @description Two models side by side (v1): each request goes to one of them, by chance.
// @shortDescription Two models, and chance between them.
// @param name string Name of the deployment
// @param imageA string Image of the first model
// @param imageB string Image of the second model
// @optionalParam replicas number 1 How many replicas
// @optionalParam endpointA string REST What the first model speaks: REST or GRPC
// @optionalParam endpointB string REST What the second model speaks
// @optionalParam registry string null Registry, or mirror, that images come from: goes before their names
// @optionalParam imagePullPolicy string IfNotPresent When to pull images
// @optionalParam imagePullSecret string null Secret to pull images with
// @optionalParam pvcName string null Persistent volume claim to make and mount at /mnt
// @optionalParam oauthKey string null OAuth key, of the API front end that there was
// @optionalParam oauthSecret string null OAuth secret, likewise
// @optionalParam resources object {} Resources of each container
// @optionalParam maxReplicas number 0 How many replicas at most; more than replicas makes an autoscaler
// @optionalParam cpuPercent number 75 Use of the requested CPU that the autoscaler aims at
// @optionalParam maxUnavailable numberOrString null How many replicas may be away at once: makes a disruption budget
// @optionalParam noEngine string false Whether requests go straight to the model, past the service orchestrator
// @optionalParam ambassadorRoute string true Whether Ambassador routes /seldon/NAME/ to it; false where there is none

local serve = import "seldon-core/seldon-core/serve.libsonnet";

local models = [
  serve.container(params, "classifier-1", serve.image(params, params.imageA, null)),
  serve.container(params, "classifier-2", serve.image(params, params.imageB, null)),
];
local nodes = [
  serve.node("classifier-1", "MODEL", params.endpointA),
  serve.node("classifier-2", "MODEL", params.endpointB),
];
local router = {
  name: "random-ab-test",
  implementation: "RANDOM_ABTEST",
  parameters: [{ name: "ratioA", value: "0.5", type: "FLOAT" }],
  children: nodes,
};

serve.objects("v1", params, models, router)
