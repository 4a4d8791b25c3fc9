-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")
local duration = require("duration")

local COUNTS = {
  "minAvailable", "pending", "running", "succeeded", "failed", "terminating", "unknown", "retryCount",
}

function GetComponents(object)
  local components = {}
  for index, task in ipairs(object.spec.tasks or {}) do
    table.insert(components, {
      name = task.name or "task-" .. index - 1,
      replicas = task.minAvailable or task.replicas or 1,
      replicaRequirements = kube.accuratePodRequirements(task.template or {}),
    })
  end
  return components
end

function ReflectStatus(object)
  return object.status or {}
end

function AggregateStatus(object, items)
  if #items == 0 then
    return object
  end
  if #items == 1 then
    object.status = items[1].status or {}
    return object
  end
  local aggregated = {}
  for field, sum in pairs(status.presentSums(items, COUNTS)) do
    aggregated[field] = sum ~= 0 and sum or nil
  end
  local conditions = {}
  for _, item in ipairs(items) do
    local member = item.status or {}
    aggregated.version = math.max(aggregated.version or 0, member.version or 0)
    aggregated.runningDuration = duration.longer(aggregated.runningDuration, member.runningDuration)
    for name, uid in pairs(member.controlledResources or {}) do
      aggregated.controlledResources = aggregated.controlledResources or {}
      aggregated.controlledResources[name] = uid
    end
    for task, counted in pairs(member.taskStatusCount or {}) do
      aggregated.taskStatusCount = aggregated.taskStatusCount or {}
      local sums = aggregated.taskStatusCount[task] or {phase = {}}
      aggregated.taskStatusCount[task] = sums
      for phase, count in pairs(counted.phase or {}) do
        sums.phase[phase] = (sums.phase[phase] or 0) + count
      end
    end
    for _, condition in ipairs(member.conditions or {}) do
      table.insert(conditions, condition)
    end
    local state = member.state
    if state ~= nil and ((aggregated.state or {}).lastTransitionTime or "") <= (state.lastTransitionTime or "") then
      aggregated.state = state
    end
  end
  if #conditions > 0 then
    table.sort(conditions, function(one, other)
      return (one.lastTransitionTime or "") < (other.lastTransitionTime or "")
    end)
    aggregated.conditions = conditions
  end
  object.status = aggregated
  return object
end

local UNHEALTHY = {Failed = true, Aborted = true, Terminated = true}

function InterpretHealth(object)
  local phase = ((object.status or {}).state or {}).phase
  return phase ~= nil and phase ~= "" and not UNHEALTHY[phase]
end
