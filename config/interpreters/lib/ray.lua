-- SPDX-License-Identifier: Apache-2.0
-- A Ray cluster as RayCluster, RayJob and RayService describe it: one head and groups of workers.
local kube = require("kube")
local status = require("status")
local ray = {}

local function groupsOf(cluster)
  return cluster.workerGroupSpecs or {}
end

-- Kubernetes starts as many hosts for each replica of a group.
local function podsOf(group)
  return (group.replicas or 1) * (group.numOfHosts or 1)
end

local function templates(cluster)
  local list = {(cluster.headGroupSpec or {}).template or {}}
  for _, group in ipairs(groupsOf(cluster)) do
    table.insert(list, group.template or {})
  end
  return list
end

function ray.components(cluster)
  local head = (cluster.headGroupSpec or {}).template or {}
  local components = {
    {name = "ray-head", replicas = 1, replicaRequirements = kube.accuratePodRequirements(head)},
  }
  for index, group in ipairs(groupsOf(cluster)) do
    local name = group.groupName
    if name == nil or name == "" then
      name = "worker-" .. index
    end
    table.insert(components, {
      name = name, replicas = podsOf(group),
      replicaRequirements = kube.accuratePodRequirements(group.template or {}),
    })
  end
  return components
end

-- All pods, each as large as the largest amounts that any of them asks for.
function ray.replicas(cluster)
  local count = 1
  for _, group in ipairs(groupsOf(cluster)) do
    count = count + podsOf(group)
  end
  local needed = nil
  for _, template in ipairs(templates(cluster)) do
    local one = kube.accuratePodRequirements(template)
    if needed == nil then
      needed = one
    elseif one ~= nil then
      needed.nodeClaim = needed.nodeClaim or one.nodeClaim
      needed.resourceRequest = needed.resourceRequest or {}
      for name, amount in pairs(one.resourceRequest or {}) do
        local largest = needed.resourceRequest[name]
        if largest == nil or kube.getResourceQuantity(amount) > kube.getResourceQuantity(largest) then
          needed.resourceRequest[name] = amount
        end
      end
    end
  end
  return count, needed
end

-- What the pods of the cluster, and of further templates, need; each once.
function ray.dependencies(object, cluster, further)
  local list, known = {}, {}
  local all = templates(cluster)
  table.insert(all, further)
  for _, template in ipairs(all) do
    for _, dependency in ipairs(kube.getPodDependencies(template, object.metadata.namespace)) do
      local key = dependency.kind .. "/" .. dependency.name
      if not known[key] then
        known[key] = true
        table.insert(list, dependency)
      end
    end
  end
  return list
end

-- Of these the first member that has them tells.
function ray.takeFirst(aggregated, items, fields)
  for _, field in ipairs(fields) do
    for _, item in ipairs(items) do
      if aggregated[field] == nil then
        aggregated[field] = (item.status or {})[field]
      end
    end
  end
end

-- The conditions of all members, and the newest time.
function ray.takeAll(aggregated, items)
  aggregated.conditions = {}
  for _, item in ipairs(items) do
    local member = item.status or {}
    for _, condition in ipairs(member.conditions or {}) do
      table.insert(aggregated.conditions, condition)
    end
    aggregated.lastUpdateTime = status.later(aggregated.lastUpdateTime, member.lastUpdateTime)
  end
end

return ray
