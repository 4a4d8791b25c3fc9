-- SPDX-License-Identifier: Apache-2.0
-- What the training jobs of Kubeflow have in common.
local kube = require("kube")
local status = require("status")
local kubeflow = {}

local function sortedKeys(map)
  local keys = {}
  for key in pairs(map or {}) do
    table.insert(keys, key)
  end
  table.sort(keys)
  return keys
end

-- One component per kind of replica.
function kubeflow.components(specs, nameOf, defaultReplicas)
  local components = {}
  for _, kind in ipairs(sortedKeys(specs)) do
    local replica = specs[kind]
    local component = {name = nameOf(kind), replicas = tonumber(replica.replicas) or defaultReplicas(kind)}
    if replica.template ~= nil then
      component.replicaRequirements = kube.accuratePodRequirements(replica.template)
    end
    table.insert(components, component)
  end
  return components
end

-- What the pods of all replicas need, each once.
function kubeflow.dependencies(object, specs)
  local list, known = {}, {}
  for _, kind in ipairs(sortedKeys(specs)) do
    local template = specs[kind].template
    for _, dependency in ipairs(template and kube.getPodDependencies(template, object.metadata.namespace) or {}) do
      local key = dependency.kind .. "/" .. dependency.name
      if not known[key] then
        known[key] = true
        table.insert(list, dependency)
      end
    end
  end
  return list
end

-- A job that says nothing yet is not healthy, one that failed is not.
function kubeflow.isHealthy(object)
  local current = object.status or {}
  if #(current.conditions or {}) == 0 then
    return false
  end
  return status.condition(object, "Failed").status ~= "True"
end

-- Sums of active, succeeded and failed per kind of replica.
function kubeflow.replicaStatuses(items)
  local sums = nil
  for _, item in ipairs(items) do
    for kind, counts in pairs((item.status or {}).replicaStatuses or {}) do
      sums = sums or {}
      sums[kind] = sums[kind] or {}
      for name, count in pairs(counts) do
        if type(count) == "number" then
          sums[kind][name] = (sums[kind][name] or 0) + count
        end
      end
    end
  end
  return sums
end

-- Names of the members in which the condition is true.
function kubeflow.members(items, kind)
  local names = {}
  for _, item in ipairs(items) do
    if status.condition(item, kind).status == "True" then
      table.insert(names, item.clusterName)
    end
  end
  return names
end

-- The earliest or latest of a time; nil where not every member has one and all have to.
function kubeflow.time(items, field, choose, all)
  local chosen = nil
  for _, item in ipairs(items) do
    local value = (item.status or {})[field]
    if value == nil and all then
      return nil
    end
    chosen = choose(chosen, value)
  end
  return chosen
end

return kubeflow
