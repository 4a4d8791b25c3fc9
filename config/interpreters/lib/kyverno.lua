-- SPDX-License-Identifier: Apache-2.0
-- Policies of a namespace and of the cluster differ in nothing but their kind.
local status = require("status")
local kyverno = {}

local RULES = {"validate", "generate", "mutate", "verifyimages"}

function kyverno.reflect(object)
  return status.pick(object.status, {"ready", "conditions", "autogen", "rulecount"})
end

function kyverno.aggregate(object, items)
  local aggregated = {
    ready = status.last(items, "ready"), autogen = status.last(items, "autogen"),
    conditions = status.mergeConditions(items), rulecount = {},
  }
  for _, rule in ipairs(RULES) do
    local sum = 0
    for _, item in ipairs(items) do
      sum = sum + (((item.status or {}).rulecount or {})[rule] or 0)
    end
    aggregated.rulecount[rule] = sum
  end
  object.status = aggregated
  return object
end

-- Older versions tell by a field, newer ones by a condition.
function kyverno.isHealthy(object)
  local current = object.status or {}
  if current.ready ~= nil then
    return current.ready
  end
  local ready = status.condition(object, "Ready")
  return ready.status == "True" and ready.reason == "Succeeded"
end

return kyverno
