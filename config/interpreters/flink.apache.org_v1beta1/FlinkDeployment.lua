-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")

local REFLECTED = {
  "clusterInfo", "jobManagerDeploymentStatus", "jobStatus", "lifecycleState", "observedGeneration",
  "reconciliationStatus", "taskManager", "error",
}

-- One task manager offers as many slots as it is configured to.
local function taskManagers(spec)
  local manager = spec.taskManager or {}
  if manager.replicas ~= nil then
    return manager.replicas
  end
  local slots = tonumber((spec.flinkConfiguration or {})["taskmanager.numberOfTaskSlots"]) or 1
  local parallelism = (spec.job or {}).parallelism or 1
  if slots < 1 then
    return 1
  end
  return math.ceil(parallelism / slots)
end

local function jobManagers(spec)
  return (spec.jobManager or {}).replicas or 1
end

-- What the pod template, and the one of the part itself, ask of nodes.
local function requirements(spec, part, resource)
  local pod = ((part or {}).podTemplate or spec.podTemplate or {}).spec or {}
  local needed = {resourceRequest = resource, priorityClassName = pod.priorityClassName}
  local required = ((pod.affinity or {}).nodeAffinity or {}).requiredDuringSchedulingIgnoredDuringExecution
  if pod.nodeSelector ~= nil or pod.tolerations ~= nil or required ~= nil then
    needed.nodeClaim = {
      nodeSelector = pod.nodeSelector, tolerations = pod.tolerations, hardNodeAffinity = required,
    }
  end
  return needed
end

local function resourceOf(part)
  local resource = (part or {}).resource or {}
  local amounts = {}
  if resource.cpu ~= nil then
    amounts.cpu = tostring(resource.cpu)
  end
  if resource.memory ~= nil then
    amounts.memory = tostring(resource.memory)
  end
  return amounts
end

local function greater(one, other)
  if one == nil then
    return other
  end
  if other == nil or kube.getResourceQuantity(one) >= kube.getResourceQuantity(other) then
    return one
  end
  return other
end

function GetComponents(object)
  local spec = object.spec
  return {
    {
      name = "jobmanager", replicas = jobManagers(spec),
      replicaRequirements = requirements(spec, spec.jobManager, resourceOf(spec.jobManager)),
    },
    {
      name = "taskmanager", replicas = taskManagers(spec),
      replicaRequirements = requirements(spec, spec.taskManager, resourceOf(spec.taskManager)),
    },
  }
end

-- Every replica counts as the largest.
function GetReplicas(object)
  local spec = object.spec
  local job, task = resourceOf(spec.jobManager), resourceOf(spec.taskManager)
  local needed = requirements(spec, nil, {
    cpu = greater(job.cpu, task.cpu), memory = greater(job.memory, task.memory),
  })
  needed.namespace = object.metadata.namespace
  return jobManagers(spec) + taskManagers(spec), needed
end

function ReflectStatus(object)
  local reflected = {}
  for _, field in ipairs(REFLECTED) do
    reflected[field] = (object.status or {})[field]
  end
  return reflected
end

-- A Flink application runs in one member at a time: the last that tells something is the one.
function AggregateStatus(object, items)
  local aggregated = {
    error = "", jobManagerDeploymentStatus = "", lifecycleState = "", observedGeneration = 0,
  }
  for _, item in ipairs(items) do
    if item.status ~= nil then
      aggregated = {}
      for _, field in ipairs(REFLECTED) do
        aggregated[field] = item.status[field]
      end
    end
  end
  object.status = aggregated
  return object
end

local STARTING = {CREATED = true, INITIALIZING = true, RECONCILING = true}

-- A job that starts is not healthy yet, unless it cannot be started because of its image: another cluster
-- would have the same trouble. Without a job it is the session cluster that counts.
function InterpretHealth(object)
  local current = object.status or {}
  local state = (current.jobStatus or {}).state
  if state == nil or state == "" then
    return current.jobManagerDeploymentStatus == "READY" and current.lifecycleState == "STABLE"
  end
  if not STARTING[state] then
    return true
  end
  local trouble = current.error or ""
  return trouble:find("ErrImagePull", 1, true) ~= nil or trouble:find("ImagePullBackOff", 1, true) ~= nil
end
