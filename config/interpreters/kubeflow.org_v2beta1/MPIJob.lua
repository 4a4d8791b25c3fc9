-- SPDX-License-Identifier: Apache-2.0
local kubeflow = require("kubeflow")
local status = require("status")

local function same(name)
  return name
end

-- One process launches; workers have to be asked for.
local function replicasOf(kind)
  return kind == "Launcher" and 1 or 0
end

function GetComponents(object)
  local components = {}
  for _, component in ipairs(kubeflow.components(object.spec.mpiReplicaSpecs, same, replicasOf)) do
    if object.spec.mpiReplicaSpecs[component.name].template ~= nil then
      table.insert(components, component)
    end
  end
  return components
end

function ReflectStatus(object)
  return status.pick(object.status, {
    "conditions", "replicaStatuses", "startTime", "completionTime", "lastReconcileTime",
  })
end

-- One condition per type: the newest that any member has.
local function newestConditions(items)
  local newest, order = {}, {}
  for _, item in ipairs(items) do
    for _, condition in ipairs((item.status or {}).conditions or {}) do
      local known = newest[condition.type]
      if known == nil then
        table.insert(order, condition.type)
      end
      if known == nil or (condition.lastUpdateTime or "") > (known.lastUpdateTime or "") then
        newest[condition.type] = condition
      end
    end
  end
  local conditions = {}
  for _, kind in ipairs(order) do
    table.insert(conditions, newest[kind])
  end
  return conditions
end

function AggregateStatus(object, items)
  if #items == 0 then
    return object
  end
  if #items == 1 then
    object.status = items[1].status
    return object
  end
  local counted = kubeflow.replicaStatuses(items)
  for _, counts in pairs(counted or {}) do
    for _, field in ipairs({"active", "succeeded", "failed"}) do
      counts[field] = counts[field] or 0
    end
  end
  object.status = {
    replicaStatuses = counted,
    conditions = newestConditions(items),
    startTime = kubeflow.time(items, "startTime", status.earlier),
    completionTime = kubeflow.time(items, "completionTime", status.later),
    lastReconcileTime = kubeflow.time(items, "lastReconcileTime", status.later),
  }
  return object
end

function InterpretHealth(object)
  return kubeflow.isHealthy(object)
end
