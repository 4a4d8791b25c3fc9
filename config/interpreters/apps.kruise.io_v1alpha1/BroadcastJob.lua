-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")

function GetReplicas(object)
  return object.spec.parallelism or 1, kube.accuratePodRequirements(object.spec.template)
end

function ReviseReplica(object, replicas)
  object.spec.parallelism = replicas
  return object
end

-- The controller in the member adds its labels to the pods.
function Retain(desired, observed)
  local labels = ((observed.spec.template or {}).metadata or {}).labels
  if labels ~= nil then
    desired.spec.template.metadata = desired.spec.template.metadata or {}
    desired.spec.template.metadata.labels = labels
  end
  return desired
end

function ReflectStatus(object)
  return object.status or {}
end

function AggregateStatus(object, items)
  local sums = status.sums(items, {"active", "succeeded", "failed", "desired"})
  sums.phase = status.last(items, "phase", "")
  local failed, complete = {}, 0
  for _, item in ipairs(items) do
    if status.condition(item, "Failed").status == "True" then
      table.insert(failed, item.clusterName)
    end
    if status.condition(item, "Complete").status == "True" then
      complete = complete + 1
    end
  end
  sums.conditions = {}
  if #failed > 0 then
    table.insert(sums.conditions, {
      type = "Failed", status = "True", reason = "JobFailed",
      message = "Job executed failed in member clusters: " .. table.concat(failed, ", "),
    })
  end
  if complete > 0 and complete == #items then
    table.insert(sums.conditions, {
      type = "Completed", status = "True", reason = "Completed", message = "Job completed",
    })
  end
  object.status = sums
  return object
end

-- Pods run or have succeeded on all the nodes, and none has failed.
function InterpretHealth(object)
  local current = object.status or {}
  local desired = current.desired or 0
  return desired > 0 and (current.failed or 0) == 0
    and (current.active or 0) + (current.succeeded or 0) >= desired
end

function GetDependencies(object)
  return kube.getPodDependencies(object.spec.template, object.metadata.namespace)
end
