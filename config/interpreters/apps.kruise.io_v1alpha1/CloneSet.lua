-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")

local COUNTS = {
  "replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "updatedReadyReplicas",
  "expectedUpdatedReplicas",
}

function GetReplicas(object)
  return object.spec.replicas or 1, kube.accuratePodRequirements(object.spec.template)
end

function ReviseReplica(object, replicas)
  object.spec.replicas = replicas
  return object
end

function ReflectStatus(object)
  return status.reflect(object, {
    "replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "updatedReadyReplicas",
    "expectedUpdatedReplicas", "updateRevision", "currentRevision", "observedGeneration", "labelSelector",
  })
end

function AggregateStatus(object, items)
  local sums = status.sums(items, COUNTS)
  sums.observedGeneration = status.observedGeneration(object, items)
  for _, field in ipairs({"updateRevision", "currentRevision", "labelSelector"}) do
    sums[field] = status.last(items, field, "")
  end
  object.status = sums
  return object
end

function InterpretHealth(object)
  return status.isRolledOut(object)
end

function GetDependencies(object)
  return kube.getPodDependencies(object.spec.template, object.metadata.namespace)
end
