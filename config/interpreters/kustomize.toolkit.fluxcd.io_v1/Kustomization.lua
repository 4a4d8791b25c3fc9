-- SPDX-License-Identifier: Apache-2.0
local flux = require("flux")
local status = require("status")

function Retain(desired, observed)
  return flux.retain(desired, observed)
end

function ReflectStatus(object)
  return status.reflect(object, {
    "conditions", "lastAppliedRevision", "lastAttemptedRevision", "observedGeneration",
  })
end

function AggregateStatus(object, items)
  return flux.aggregate(object, items, {lastAppliedRevision = false, lastAttemptedRevision = false})
end

function InterpretHealth(object)
  return flux.isReady(object, "ReconciliationSucceeded")
end

function GetDependencies(object)
  local references = flux.references(object)
  references.add("Secret", ((object.spec.decryption or {}).secretRef or {}).name)
  references.add("Secret", ((object.spec.kubeConfig or {}).secretRef or {}).name)
  references.add("ServiceAccount", object.spec.serviceAccountName)
  return references.list()
end
