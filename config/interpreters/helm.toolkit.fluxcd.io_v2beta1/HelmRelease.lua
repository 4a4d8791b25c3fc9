-- SPDX-License-Identifier: Apache-2.0
local flux = require("flux")
local status = require("status")

function Retain(desired, observed)
  return flux.retain(desired, observed)
end

function ReflectStatus(object)
  return status.reflect(object, {
    "conditions", "failures", "helmChart", "installFailures", "lastAppliedRevision", "lastAttemptedRevision",
    "lastAttemptedValuesChecksum", "lastReleaseRevision", "observedGeneration", "upgradeFailures",
  })
end

-- Failures count on from what the template has seen.
function AggregateStatus(object, items)
  local before = object.status or {}
  flux.aggregate(object, items, {
    helmChart = false, lastAppliedRevision = false, lastAttemptedRevision = false,
    lastAttemptedValuesChecksum = false, lastReleaseRevision = false,
  })
  local FAILURES = {"failures", "installFailures", "upgradeFailures"}
  local sums = status.presentSums(items, FAILURES)
  for _, field in ipairs(FAILURES) do
    if sums[field] ~= nil or before[field] ~= nil then
      object.status[field] = (sums[field] or 0) + (before[field] or 0)
    end
  end
  return object
end

function InterpretHealth(object)
  return flux.isReady(object, "ReconciliationSucceeded")
end

function GetDependencies(object)
  local references = flux.references(object)
  for _, source in ipairs(object.spec.valuesFrom or {}) do
    references.add(source.kind, source.name)
  end
  local chart = ((object.spec.chart or {}).spec or {})
  references.add("Secret", ((chart.verify or {}).secretRef or {}).name)
  references.add("Secret", ((object.spec.kubeConfig or {}).secretRef or {}).name)
  references.add("ServiceAccount", object.spec.serviceAccountName)
  return references.list()
end
