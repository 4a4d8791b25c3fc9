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
    "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
    "updatedReadyReplicas", "updateRevision", "currentRevision", "observedGeneration",
  })
end

function AggregateStatus(object, items)
  local sums = status.sums(items, {
    "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
    "updatedReadyReplicas",
  })
  sums.observedGeneration = status.observedGeneration(object, items)
  sums.updateRevision = status.last(items, "updateRevision", "")
  sums.currentRevision = status.last(items, "currentRevision", "")
  object.status = sums
  return object
end

function InterpretHealth(object)
  return status.isRolledOut(object)
end

function GetDependencies(object)
  return kube.getPodDependencies(object.spec.template, object.metadata.namespace)
end
