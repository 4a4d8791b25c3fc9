-- SPDX-License-Identifier: Apache-2.0
local status = require("status")

function AggregateStatus(object, items)
  object.status = {conditions = status.mergeConditions(items)}
  return object
end

function InterpretHealth(object)
  return status.condition(object, "Ready").status == "True"
end
