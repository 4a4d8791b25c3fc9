-- SPDX-License-Identifier: Apache-2.0
local status = require("status")

local MEBI = 1024 * 1024
-- What Spark adds to the memory of a process where nothing else is said: a share, and this at least.
local LEAST_OVERHEAD = 384 * MEBI
local SHARES = {Java = 0.1, Scala = 0.1, Python = 0.4, R = 0.4}
local UNITS = {b = 1, k = 1024, m = MEBI, g = 1024 * MEBI, t = 1024 * 1024 * MEBI}

-- Memory as Java writes it: 512m, 1g. A number alone counts in MiB.
local function bytesOf(text)
  local number, unit = string.match(string.lower(tostring(text)), "^([%d.]+)%s*(%a?)")
  if number == nil then
    error("not an amount of memory: " .. tostring(text))
  end
  return tonumber(number) * (unit == "" and MEBI or UNITS[unit] or 1)
end

local function quantityOf(bytes)
  if bytes % MEBI == 0 then
    return string.format("%dMi", bytes / MEBI)
  elseif bytes % 1 == 0 then
    return string.format("%.0f", bytes)
  end
  return string.format("%.0fm", bytes * 1000)
end

local function memoryOf(spec, process)
  local memory = bytesOf(process.memory or "1g")
  if process.memoryOverhead ~= nil then
    return quantityOf(memory + bytesOf(process.memoryOverhead))
  end
  local share = tonumber(spec.memoryOverheadFactor) or SHARES[spec.type] or 0.1
  return quantityOf(memory + math.max(memory * share, LEAST_OVERHEAD))
end

local function requirements(spec, process)
  local needed = {
    resourceRequest = {
      cpu = tostring(process.coreRequest or process.cores or 1), memory = memoryOf(spec, process),
    },
    priorityClassName = process.priorityClassName or (spec.batchSchedulerOptions or {}).priorityClassName,
  }
  if process.gpu ~= nil and process.gpu.name ~= nil then
    needed.resourceRequest[process.gpu.name] = tostring(process.gpu.quantity or 0)
  end
  local selector = process.nodeSelector or spec.nodeSelector
  local required = ((process.affinity or {}).nodeAffinity or {}).requiredDuringSchedulingIgnoredDuringExecution
  if selector ~= nil or process.tolerations ~= nil or required ~= nil then
    needed.nodeClaim = {
      nodeSelector = selector, tolerations = process.tolerations, hardNodeAffinity = required,
    }
  end
  return needed
end

-- Dynamic allocation starts with the most of what it is told.
local function executors(spec)
  local count = (spec.executor or {}).instances or 1
  local dynamic = spec.dynamicAllocation or {}
  if dynamic.enabled then
    count = math.max(count, dynamic.initialExecutors or 0, dynamic.minExecutors or 0)
  end
  return count
end

function GetComponents(object)
  local spec = object.spec
  return {
    {name = "driver", replicas = 1, replicaRequirements = requirements(spec, spec.driver or {})},
    {
      name = "executor", replicas = executors(spec),
      replicaRequirements = requirements(spec, spec.executor or {}),
    },
  }
end

function ReflectStatus(object)
  return status.pick(object.status, {
    "applicationState", "driverInfo", "executionAttempts", "executorState", "lastSubmissionAttemptTime",
    "sparkApplicationId", "submissionAttempts", "submissionID", "terminationTime",
  })
end

-- From the worst on.
local RANKS = {
  "FAILED", "SUBMISSION_FAILED", "FAILING", "UNKNOWN", "INVALIDATING", "PENDING_RERUN", "RUNNING", "SUBMITTED",
  "", "SUCCEEDING", "COMPLETED",
}

local function worst(items)
  for _, rank in ipairs(RANKS) do
    for _, item in ipairs(items) do
      local state = (item.status or {}).applicationState
      if state ~= nil and state.state == rank then
        return {state = rank}
      end
    end
  end
end

function AggregateStatus(object, items)
  if #items == 1 then
    object.status = items[1].status
    return object
  end
  local aggregated = status.sums(items, {"executionAttempts", "submissionAttempts"})
  aggregated.applicationState = worst(items)
  aggregated.lastSubmissionAttemptTime, aggregated.terminationTime = "", ""
  for _, item in ipairs(items) do
    local member = item.status or {}
    for _, field in ipairs({"lastSubmissionAttemptTime", "terminationTime"}) do
      aggregated[field] = status.later(aggregated[field], member[field]) or ""
    end
    for name, state in pairs(member.executorState or {}) do
      aggregated.executorState = aggregated.executorState or {}
      aggregated.executorState[name] = state
    end
  end
  object.status = aggregated
  return object
end

-- Everything else may still end well: failed submissions are tried again as the application says.
function InterpretHealth(object)
  local state = ((object.status or {}).applicationState or {}).state
  return state ~= nil and state ~= "FAILED"
end
