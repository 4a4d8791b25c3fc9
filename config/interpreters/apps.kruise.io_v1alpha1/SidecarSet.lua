-- SPDX-License-Identifier: Apache-2.0
-- A SidecarSet owns no pods: it adds containers to pods of others.
local kube = require("kube")
local status = require("status")

function GetReplicas(object)
  return 0, nil
end

function ReflectStatus(object)
  local reflected = {}
  if object.status == nil then
    return reflected
  end
  for _, field in ipairs({"matchedPods", "updatedPods", "readyPods"}) do
    reflected[field] = object.status[field] or 0
  end
  return reflected
end

function AggregateStatus(object, items)
  object.status = status.sums(items, {"matchedPods", "updatedPods", "readyPods"})
  return object
end

function Retain(desired, observed)
  return desired
end

function InterpretHealth(object)
  local current = object.status
  if current == nil then
    return false
  end
  local matched = current.matchedPods or 0
  return (current.updatedPods or 0) >= matched and (current.readyPods or 0) >= matched
end

-- The sidecars and their volumes stand where a pod has its own.
function GetDependencies(object)
  local pod = {
    spec = {
      containers = object.spec.containers,
      initContainers = object.spec.initContainers,
      volumes = object.spec.volumes,
      imagePullSecrets = object.spec.imagePullSecrets,
    },
  }
  return kube.getPodDependencies(pod, object.metadata.namespace)
end
