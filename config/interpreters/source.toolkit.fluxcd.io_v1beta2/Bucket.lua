-- SPDX-License-Identifier: Apache-2.0
local flux = require("flux")
local status = require("status")

function Retain(desired, observed)
  return flux.retain(desired, observed)
end

function ReflectStatus(object)
  return status.reflect(object, {
    "artifact", "conditions", "observedGeneration", "observedIgnore", "url",
  })
end

function AggregateStatus(object, items)
  return flux.aggregate(object, items, {artifact = false, url = ""})
end

function InterpretHealth(object)
  return flux.isReady(object, "Succeeded")
end

function GetDependencies(object)
  local references = flux.references(object)
  references.add("Secret", (object.spec.secretRef or {}).name)
  return references.list()
end
