-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local ray = require("ray")
local status = require("status")

function GetComponents(object)
  return ray.components(object.spec)
end

function AggregateStatus(object, items)
  if #items == 1 then
    object.status = items[1].status
    return object
  end
  local aggregated = status.sums(items, {
    "availableWorkerReplicas", "desiredWorkerReplicas", "minWorkerReplicas", "maxWorkerReplicas",
    "readyWorkerReplicas",
  })
  for _, field in ipairs({"desiredCPU", "desiredGPU", "desiredMemory", "desiredTPU"}) do
    for _, item in ipairs(items) do
      local amount = (item.status or {})[field]
      if amount ~= nil then
        aggregated[field] = kube.resourceAdd(aggregated[field], amount)
      end
    end
  end
  ray.takeFirst(aggregated, items, {"endpoints", "head", "state", "stateTransitionTimes"})
  ray.takeAll(aggregated, items)
  object.status = aggregated
  return object
end

-- Head and workers run, and none of the workers failed since.
function InterpretHealth(object)
  return status.condition(object, "HeadPodReady").status == "True"
    and status.condition(object, "RayClusterProvisioned").status == "True"
    and status.condition(object, "RayClusterReplicaFailure").status ~= "True"
end
