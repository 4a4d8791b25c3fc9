-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")

function AggregateStatus(object, items)
  local active, latest = {}, nil
  for _, item in ipairs(items) do
    local member = item.status or {}
    for _, reference in ipairs(member.active or {}) do
      table.insert(active, reference)
    end
    latest = status.later(latest, member.lastScheduleTime)
  end
  object.status = {active = active, type = status.last(items, "type", ""), lastScheduleTime = latest}
  return object
end

-- The pods are those of the job or of the broadcast job.
function GetDependencies(object)
  local template = object.spec.template
  local job = template.jobTemplate or template.broadcastJobTemplate or {}
  return kube.getPodDependencies((job.spec or {}).template or {}, object.metadata.namespace)
end
