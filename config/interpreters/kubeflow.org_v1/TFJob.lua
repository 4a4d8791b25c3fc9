-- SPDX-License-Identifier: Apache-2.0
local kubeflow = require("kubeflow")
local status = require("status")

local function oneReplica()
  return 1
end

function GetComponents(object)
  return kubeflow.components(object.spec.tfReplicaSpecs, string.lower, oneReplica)
end

function AggregateStatus(object, items)
  if #items == 0 then
    return object
  end
  local aggregated = {
    replicaStatuses = kubeflow.replicaStatuses(items),
    startTime = kubeflow.time(items, "startTime", status.earlier),
  }
  local failed, succeeded = kubeflow.members(items, "Failed"), kubeflow.members(items, "Succeeded")
  local now = os.date("!%Y-%m-%dT%H:%M:%SZ")
  if #failed > 0 then
    aggregated.conditions = {{
      type = "Failed", status = "True", reason = "TFJobFailed", lastProbeTime = now, lastTransitionTime = now,
      message = "TFJob executed failed in member clusters: " .. table.concat(failed, ", "),
    }}
  elseif #succeeded == #items then
    aggregated.conditions = {{
      type = "Succeeded", status = "True", reason = "Completed", lastProbeTime = now, lastTransitionTime = now,
      message = "TFJob completed successfully",
    }}
    aggregated.completionTime = kubeflow.time(items, "completionTime", status.later)
  end
  object.status = aggregated
  return object
end

function InterpretHealth(object)
  return kubeflow.isHealthy(object)
end

function GetDependencies(object)
  return kubeflow.dependencies(object, object.spec.tfReplicaSpecs)
end
