-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")

local COUNTS = {
  "currentNumberScheduled", "desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable",
  "numberUnavailable", "numberMisscheduled", "numberReady",
}

function ReflectStatus(object)
  local reflected = status.reflect(object, COUNTS)
  if object.status ~= nil then
    reflected.observedGeneration = object.status.observedGeneration
    reflected.daemonSetHash = object.status.daemonSetHash
  end
  return reflected
end

function AggregateStatus(object, items)
  local sums = status.sums(items, COUNTS)
  sums.observedGeneration = status.observedGeneration(object, items)
  sums.daemonSetHash = status.last(items, "daemonSetHash", 0)
  object.status = sums
  return object
end

function InterpretHealth(object)
  local current = object.status or {}
  return (current.observedGeneration or 0) == (object.metadata.generation or 0)
    and (current.updatedNumberScheduled or 0) >= (current.desiredNumberScheduled or 0)
    and (current.numberAvailable or 0) >= (current.updatedNumberScheduled or 0)
end

function GetDependencies(object)
  return kube.getPodDependencies(object.spec.template, object.metadata.namespace)
end
