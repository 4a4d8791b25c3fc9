-- SPDX-License-Identifier: Apache-2.0
local ray = require("ray")
local status = require("status")

function GetReplicas(object)
  return ray.replicas(object.spec.rayClusterConfig or {})
end

-- The head is one of them; the workers are divided as they were, whole ones by the largest remainder.
function ReviseReplica(object, replicas)
  local groups = (object.spec.rayClusterConfig or {}).workerGroupSpecs or {}
  local workers, before = math.max(replicas - 1, 0), 0
  for _, group in ipairs(groups) do
    before = before + (group.replicas or 1)
  end
  local remainders, left = {}, workers
  for index, group in ipairs(groups) do
    local share = before > 0 and workers * (group.replicas or 1) / before or workers / #groups
    group.replicas = math.floor(share)
    left = left - group.replicas
    table.insert(remainders, {index = index, rest = share - group.replicas})
  end
  table.sort(remainders, function(one, other)
    if one.rest ~= other.rest then
      return one.rest > other.rest
    end
    return one.index < other.index
  end)
  for position = 1, left do
    local group = groups[(remainders[position] or {}).index]
    if group ~= nil then
      group.replicas = group.replicas + 1
    end
  end
  return object
end

-- Of applications, the worse counts more.
local RANKS = {DEPLOY_FAILED = 5, UNHEALTHY = 4, DELETING = 3, DEPLOYING = 2, NOT_STARTED = 1}

local function mergeService(items, field)
  local merged = nil
  for _, item in ipairs(items) do
    local service = (item.status or {})[field]
    if merged == nil then
      merged = service
    elseif service ~= nil then
      for name, application in pairs(service.applicationStatuses or {}) do
        merged.applicationStatuses = merged.applicationStatuses or {}
        local known = merged.applicationStatuses[name]
        if known == nil or (RANKS[application.status] or 0) > (RANKS[known.status] or 0) then
          merged.applicationStatuses[name] = application
        end
      end
    end
  end
  return merged
end

function AggregateStatus(object, items)
  if #items == 1 then
    object.status = items[1].status
    return object
  end
  local aggregated = status.sums(items, {"numServeEndpoints"})
  ray.takeFirst(aggregated, items, {"serviceStatus"})
  ray.takeAll(aggregated, items)
  for _, item in ipairs(items) do
    local observed = (item.status or {}).observedGeneration
    if observed ~= nil then
      aggregated.observedGeneration = math.max(aggregated.observedGeneration or observed, observed)
    end
  end
  aggregated.activeServiceStatus = mergeService(items, "activeServiceStatus")
  aggregated.pendingServiceStatus = mergeService(items, "pendingServiceStatus")
  object.status = aggregated
  return object
end

function InterpretHealth(object)
  return status.condition(object, "Ready").status == "True"
end

function GetDependencies(object)
  return ray.dependencies(object, object.spec.rayClusterConfig or {})
end
