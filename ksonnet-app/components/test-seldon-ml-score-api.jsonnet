local env = std.extVar("__ksonnet/environments");
local params = std.extVar("__ksonnet/params").components["test-seldon-ml-score-api"];

local serve = import "seldon-core/seldon-core/serve.libsonnet";

local image = serve.image(params, params.image, params.imageDigest);
local model = serve.container(params, params.name, image);

serve.objects("v1alpha2", params, [model], serve.node(params.name, "MODEL", params.endpoint))
