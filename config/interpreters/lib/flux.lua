-- SPDX-License-Identifier: Apache-2.0
-- What the kinds of the Flux toolkit have in common.
local status = require("status")
local flux = {}

-- The member may suspend by itself.
function flux.retain(desired, observed)
  if observed.spec ~= nil and observed.spec.suspend ~= nil then
    desired.spec.suspend = observed.spec.suspend
  end
  return desired
end

function flux.isReady(object, reason)
  local ready = status.condition(object, "Ready")
  return ready.status == "True" and ready.reason == reason
end

-- `defaults` are the fields of which the last member that has one tells; a default of nil is written false.
function flux.aggregate(object, items, defaults)
  local aggregated = {conditions = status.mergeConditions(items)}
  for field, default in pairs(defaults) do
    aggregated[field] = status.last(items, field, default or nil)
  end
  aggregated.observedGeneration = status.observedGeneration(object, items)
  object.status = aggregated
  return object
end

-- References to objects of the own namespace, by name and each once.
function flux.references(object)
  local list, known = {}, {}
  local references = {}
  function references.add(kind, name)
    local key = kind .. "/" .. (name or "")
    if name ~= nil and name ~= "" and not known[key] then
      known[key] = true
      table.insert(list, {
        apiVersion = "v1", kind = kind, namespace = (object.metadata or {}).namespace, name = name,
      })
    end
  end
  function references.list()
    return list
  end
  return references
end

return flux
