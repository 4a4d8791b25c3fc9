-- SPDX-License-Identifier: Apache-2.0
local ray = require("ray")

function GetComponents(object)
  return ray.components(object.spec.rayClusterSpec or {})
end

-- From the worst on: the whole is what the member that is worst off is.
local JOB_RANKS = {"FAILED", "STOPPED", "PENDING", "RUNNING", "SUCCEEDED"}
local DEPLOYMENT_RANKS = {
  "ValidationFailed", "Failed", "Retrying", "Suspended", "Suspending", "Waiting", "Initializing", "New", "Running", "Complete",
}

local function worst(items, field, ranks)
  for _, rank in ipairs(ranks) do
    for _, item in ipairs(items) do
      if (item.status or {})[field] == rank then
        return rank, item
      end
    end
  end
end

function AggregateStatus(object, items)
  if #items == 1 then
    object.status = items[1].status
    return object
  end
  local deployment, item = worst(items, "jobDeploymentStatus", DEPLOYMENT_RANKS)
  object.status = {
    jobStatus = worst(items, "jobStatus", JOB_RANKS),
    jobDeploymentStatus = deployment,
    reason = item and item.status.reason,
    message = item and item.status.message,
  }
  return object
end

local RUNNING = {Running = true, Complete = true}
local FAILED = {FAILED = true, STOPPED = true}

function InterpretHealth(object)
  local current = object.status or {}
  return RUNNING[current.jobDeploymentStatus] == true and not FAILED[current.jobStatus]
end

function GetDependencies(object)
  return ray.dependencies(object, object.spec.rayClusterSpec or {}, object.spec.submitterPodTemplate)
end
