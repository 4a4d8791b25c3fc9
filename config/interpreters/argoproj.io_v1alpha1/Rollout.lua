-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")

local COUNTS = {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas"}

function GetReplicas(object)
  local replicas = object.spec.replicas or 1
  if object.spec.template == nil then
    return replicas, nil
  end
  return replicas, kube.accuratePodRequirements(object.spec.template)
end

function ReviseReplica(object, replicas)
  object.spec.replicas = replicas
  return object
end

function ReflectStatus(object)
  return status.reflect(object, {
    "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas", "phase", "message",
    "currentPodHash", "stableRS", "selector", "observedGeneration", "conditions",
  })
end

-- The phase of the whole is that of the member that is worst off.
local RANKS = {Degraded = 4, Progressing = 3, Paused = 2, Healthy = 1}

function AggregateStatus(object, items)
  local sums = status.sums(items, COUNTS)
  local worst = 0
  for _, item in ipairs(items) do
    local phase = (item.status or {}).phase or "Progressing"
    if (RANKS[phase] or 0) > worst then
      worst = RANKS[phase]
      sums.phase = phase
      sums.message = (item.status or {}).message
    end
  end
  for _, field in ipairs({"currentPodHash", "stableRS", "selector"}) do
    sums[field] = status.last(items, field)
  end
  -- Rollouts keep it as text.
  sums.observedGeneration = tostring(status.observedGeneration(object, items))
  sums.conditions = status.mergeConditions(items)
  object.status = sums
  return object
end

function InterpretHealth(object)
  local current = object.status or {}
  local observed = tonumber(current.observedGeneration) or 0
  return observed >= (object.metadata.generation or 0) and current.phase == "Healthy"
end

function GetDependencies(object)
  if object.spec.template == nil then
    return {}
  end
  return kube.getPodDependencies(object.spec.template, object.metadata.namespace)
end
