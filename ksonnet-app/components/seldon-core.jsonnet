local env = std.extVar("__ksonnet/environments");
local params = std.extVar("__ksonnet/params").components["seldon-core"];

local core = import "seldon-core/seldon-core/core.libsonnet";

core.objects(params, env)
