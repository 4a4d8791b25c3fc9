-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")

function GetReplicas(object)
  return object.spec.replicas or 1, kube.accuratePodRequirements(object.spec.template)
end

function ReviseReplica(object, replicas)
  object.spec.replicas = replicas
  return object
end

function ReflectStatus(object)
  return status.reflect(object, {
    "replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "unavailableReplicas",
    "observedGeneration", "conditions",
  })
end

function AggregateStatus(object, items)
  local sums = status.sums(items, {
    "replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "unavailableReplicas",
  })
  sums.observedGeneration = status.observedGeneration(object, items)
  object.status = sums
  return object
end

function InterpretHealth(object)
  return status.isRolledOut(object)
end

function GetDependencies(object)
  return kube.getPodDependencies(object.spec.template, object.metadata.namespace)
end
