// @apiVersion 0.1
// @name io.ksonnet.pkg.seldon-abtest-v1alpha2
// @description An A/B test (v1alpha2): each request goes to one of two models, chosen at random.
// @shortDescription Two models, one of which is chosen at random.
// @param name string Name of the deployment
// @param imageA string Image of the first model
// @param imageB string Image of the second model
// @optionalParam replicas number 1 Number of replicas
// @optionalParam endpointA string REST Protocol of the first model: REST or GRPC
// @optionalParam endpointB string REST Protocol of the second model: REST or GRPC
// @optionalParam registry string null Registry or mirror to pull images from; goes before their names
// @optionalParam imagePullPolicy string IfNotPresent When to pull images
// @optionalParam imagePullSecret string null Secret to pull images with
// @optionalParam pvcName string null Persistent volume claim to make and mount at /mnt
// @optionalParam oauthKey string null OAuth key of the former API front end
// @optionalParam oauthSecret string null OAuth secret of the former API front end
// @optionalParam resources object {} Resources of each container
// @optionalParam maxReplicas number 0 Highest number of replicas; if it is above replicas, an autoscaler is made
// @optionalParam cpuPercent number 75 CPU use that the autoscaler aims at, in percent of the request
// @optionalParam maxUnavailable numberOrString null Replicas that may be unavailable at once; makes a disruption budget
// @optionalParam noEngine string false Whether requests go directly to the model, without the service orchestrator
// @optionalParam ambassadorRoute string true Whether Ambassador routes /seldon/NAME/ to the model; false if there is none

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

serve.objects("v1alpha2", params, models, router)
