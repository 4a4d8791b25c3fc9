-- SPDX-License-Identifier: Apache-2.0
local kubeflow = require("kubeflow")
local status = require("status")

local function oneReplica()
  return 1
end

function GetComponents(object)
  return kubeflow.components(object.spec.pytorchReplicaSpecs, string.lower, oneReplica)
end

local MESSAGES = {
  Created = "PyTorchJob is created.",
  Running = "PyTorchJob is running.",
  Succeeded = "PyTorchJob is successfully completed.",
}

-- A condition of the whole at the time it came about in the members that have it.
local function condition(items, kind, choose, message)
  local updated, changed = nil, nil
  for _, item in ipairs(items) do
    local one = status.condition(item, kind)
    if one.type ~= nil then
      updated = choose(updated, one.lastUpdateTime)
      changed = choose(changed, one.lastTransitionTime)
    end
  end
  return {
    type = kind, status = "True", reason = "PyTorchJob" .. kind, message = message or MESSAGES[kind],
    lastUpdateTime = updated, lastTransitionTime = changed,
  }
end

function AggregateStatus(object, items)
  local aggregated = {
    replicaStatuses = kubeflow.replicaStatuses(items),
    startTime = kubeflow.time(items, "startTime", status.earlier),
    conditions = {},
  }
  local failed, succeeded = kubeflow.members(items, "Failed"), kubeflow.members(items, "Succeeded")
  if #kubeflow.members(items, "Created") > 0 then
    table.insert(aggregated.conditions, condition(items, "Created", status.earlier))
  end
  if #failed > 0 then
    local message = "PyTorchJob executed failed in member clusters: " .. table.concat(failed, ", ")
    table.insert(aggregated.conditions, condition(items, "Failed", status.later, message))
  elseif #items > 0 and #succeeded == #items then
    table.insert(aggregated.conditions, condition(items, "Succeeded", status.later))
    aggregated.completionTime = kubeflow.time(items, "completionTime", status.later)
  elseif #kubeflow.members(items, "Running") > 0 then
    table.insert(aggregated.conditions, condition(items, "Running", status.earlier))
  end
  object.status = aggregated
  return object
end

function InterpretHealth(object)
  return kubeflow.isHealthy(object)
end

function GetDependencies(object)
  return kubeflow.dependencies(object, object.spec.pytorchReplicaSpecs)
end
