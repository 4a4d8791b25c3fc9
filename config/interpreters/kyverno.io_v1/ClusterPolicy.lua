-- SPDX-License-Identifier: Apache-2.0
local kyverno = require("kyverno")

function ReflectStatus(object)
  return kyverno.reflect(object)
end

function AggregateStatus(object, items)
  return kyverno.aggregate(object, items)
end

function InterpretHealth(object)
  return kyverno.isHealthy(object)
end
