// @apiVersion 0.1
// @name io.ksonnet.pkg.seldon-mab-v1
// @description Two models (v1) and a router that learns from feedback which one is better.
// @shortDescription Two models behind a multi-armed bandit.
// @param name string Name of the deployment
// @param imageA string Image of the first model
// @param imageB string Image of the second model
// @param mabImage string Image of the router
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
local bandit = serve.container(params, "eg-router", serve.image(params, params.mabImage, null));
local router = serve.node("eg-router", "ROUTER", "REST", nodes, {
  parameters: [
    { name: "n_branches", value: "2", type: "INT" },
    { name: "epsilon", value: "0.2", type: "FLOAT" },
    { name: "verbose", value: "1", type: "BOOL" },
  ],
});

serve.objects("v1", params, [bandit] + models, router)
