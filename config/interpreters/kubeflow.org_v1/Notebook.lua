-- SPDX-License-Identifier: Apache-2.0
local kube = require("kube")
local status = require("status")

function GetReplicas(object)
  return 1, kube.accuratePodRequirements(object.spec.template or {})
end

function ReflectStatus(object)
  if object.status == nil then
    return {}
  end
  local reflected = status.pick(object.status, {"conditions", "containerState", "readyReplicas"})
  reflected.readyReplicas = reflected.readyReplicas or 0
  return reflected
end

-- Containers that are on their way.
local WAITING = {ContainerCreating = true, PodInitializing = true}

function InterpretHealth(object)
  local state = (object.status or {}).containerState or {}
  if state.running ~= nil then
    return (object.status.readyReplicas or 0) > 0
  end
  if state.waiting ~= nil then
    return WAITING[state.waiting.reason] == true
  end
  if state.terminated ~= nil then
    return state.terminated.reason == "Completed" and (state.terminated.exitCode or 0) == 0
  end
  return false
end

-- The state of the whole is the worst that a member is in, and of running ones the newest. A member without any
-- has found no place for it.
local function containerState(items)
  local terminated, waiting, running = nil, nil, nil
  for _, item in ipairs(items) do
    local state = (item.status or {}).containerState or {}
    if state.terminated ~= nil then
      terminated = {terminated = state.terminated}
    elseif state.waiting ~= nil then
      waiting = {waiting = state.waiting}
    elseif state.running == nil then
      waiting = {waiting = {reason = "Unschedulable"}}
    elseif running == nil or (running.running.startedAt or "") < (state.running.startedAt or "") then
      running = {running = state.running}
    end
  end
  return terminated or waiting or running
end

local function condition(kind, reason, message)
  local now = os.date("!%Y-%m-%dT%H:%M:%SZ")
  return {{
    type = kind, status = "True", reason = reason, message = message,
    lastProbeTime = now, lastTransitionTime = now,
  }}
end

function AggregateStatus(object, items)
  if #items == 1 then
    object.status = ReflectStatus(items[1])
    return object
  end
  local aggregated = status.sums(items, {"readyReplicas"})
  aggregated.containerState = containerState(items)
  local failed, ready = {}, 0
  for _, item in ipairs(items) do
    if not InterpretHealth(item) then
      table.insert(failed, item.clusterName)
    elseif (item.status.readyReplicas or 0) > 0 then
      ready = ready + 1
    end
  end
  if #failed > 0 then
    aggregated.conditions = condition("Failed", "NotebookFailed",
      "Notebook executed failed in member clusters: " .. table.concat(failed, ", "))
  elseif #items > 0 and ready == #items then
    aggregated.conditions = condition("Ready", "Ready", "All notebooks are ready")
  end
  object.status = aggregated
  return object
end
