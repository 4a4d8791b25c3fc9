-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")

-- What all pods of a workflow share, as a pod template.
local function podOf(spec)
  return {
    spec = {
      nodeSelector = spec.nodeSelector,
      tolerations = spec.tolerations,
      affinity = spec.affinity,
      volumes = spec.volumes,
      imagePullSecrets = spec.imagePullSecrets,
      serviceAccountName = spec.serviceAccountName,
    },
  }
end

function GetReplicas(object)
  return object.spec.parallelism or 1, kube.accuratePodRequirements(podOf(object.spec))
end

function ReviseReplica(object, replicas)
  object.spec.parallelism = replicas
  return object
end

-- The member suspends and resumes by itself, and the status is part of the object.
function Retain(desired, observed)
  if observed.spec.suspend ~= nil then
    desired.spec.suspend = observed.spec.suspend
  end
  if observed.status ~= nil then
    desired.status = observed.status
  end
  return desired
end

function InterpretHealth(object)
  local phase = (object.status or {}).phase
  return phase ~= nil and phase ~= "" and phase ~= "Failed" and phase ~= "Error"
end

function GetDependencies(object)
  local spec = object.spec
  local dependencies = kube.getPodDependencies(podOf(spec), object.metadata.namespace)
  for _, synchronization in ipairs({(spec.synchronization or {}).semaphore}) do
    local reference = synchronization.configMapKeyRef or {}
    if reference.name ~= nil and reference.name ~= "" then
      table.insert(dependencies, {
        apiVersion = "v1", kind = "ConfigMap", namespace = object.metadata.namespace, name = reference.name,
      })
    end
  end
  return dependencies
end
