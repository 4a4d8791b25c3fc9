-- SPDX-License-Identifier: Apache-2.0
-- What many kinds have in common. Required by the scripts beside this folder.
local status = {}

local GENERATION = "resourcetemplate.karmada.io/generation"

-- The generation of the resource template that a member's object stems from; nil where it is not told.
function status.templateGeneration(object)
  local metadata = object.metadata or {}
  return tonumber((metadata.annotations or {})[GENERATION])
end

-- What the listed fields hold, and both generations, as the status that travels to the control plane. Without
-- a status there is nothing to tell.
function status.reflect(object, fields)
  local reflected = {}
  if object.status == nil then
    return reflected
  end
  for _, field in ipairs(fields) do
    reflected[field] = object.status[field]
  end
  reflected.generation = (object.metadata or {}).generation
  reflected.resourceTemplateGeneration = status.templateGeneration(object)
  return reflected
end

-- Members count as having seen the template when all have observed what they were sent, and were sent this one.
function status.observedGeneration(object, items)
  local generation = object.metadata.generation or 0
  local seen = 0
  for _, item in ipairs(items) do
    local member = item.status or {}
    -- Some kinds write their observed generation as text.
    if (member.generation or 0) == (tonumber(member.observedGeneration) or 0)
      and (member.resourceTemplateGeneration or 0) == generation then
      seen = seen + 1
    end
  end
  if seen == #items then
    return generation
  end
  return tonumber((object.status or {}).observedGeneration) or 0
end

-- Sums of the listed fields.
function status.sums(items, fields)
  local sums = {}
  for _, field in ipairs(fields) do
    local sum = 0
    for _, item in ipairs(items) do
      sum = sum + ((item.status or {})[field] or 0)
    end
    sums[field] = sum
  end
  return sums
end

-- The same, without the fields that no member has.
function status.presentSums(items, fields)
  local sums = {}
  for _, field in ipairs(fields) do
    for _, item in ipairs(items) do
      local value = (item.status or {})[field]
      if value ~= nil then
        sums[field] = (sums[field] or 0) + value
      end
    end
  end
  return sums
end

-- The value of the last member that has one.
function status.last(items, field, otherwise)
  local value = otherwise
  for _, item in ipairs(items) do
    local member = item.status or {}
    if member[field] ~= nil and member[field] ~= "" then
      value = member[field]
    end
  end
  return value
end

-- The condition of that type; an empty table where there is none.
function status.condition(object, kind)
  for _, condition in ipairs((object.status or {}).conditions or {}) do
    if condition.type == kind then
      return condition
    end
  end
  return {}
end

-- The later of two RFC 3339 times in UTC; either may be nil or empty.
function status.later(one, other)
  if one == nil or one == "" then
    return other
  end
  if other == nil or other == "" then
    return one
  end
  return one < other and other or one
end

function status.earlier(one, other)
  if one == nil or one == "" then
    return other
  end
  if other == nil or other == "" then
    return one
  end
  return one < other and one or other
end

-- Every replica is of the newest version, and available.
function status.isRolledOut(object)
  local current = object.status or {}
  return (current.observedGeneration or 0) == (object.metadata.generation or 0)
    and (current.updatedReplicas or 0) >= (object.spec.replicas or 0)
    and (current.availableReplicas or 0) >= (current.updatedReplicas or 0)
end

-- The conditions of all members; those of the same type, status and reason are one, whose message names the
-- members.
function status.mergeConditions(items)
  local merged, known = {}, {}
  for _, item in ipairs(items) do
    for _, condition in ipairs((item.status or {}).conditions or {}) do
      local key = tostring(condition.type) .. "/" .. tostring(condition.status) .. "/" .. tostring(condition.reason)
      local message = (item.clusterName or "") .. "=" .. (condition.message or "")
      if known[key] == nil then
        condition.message = message
        known[key] = condition
        table.insert(merged, condition)
      else
        known[key].message = known[key].message .. ", " .. message
      end
    end
  end
  return merged
end

-- A copy without fields that hold nothing.
function status.pick(source, fields)
  local picked = {}
  for _, field in ipairs(fields) do
    picked[field] = (source or {})[field]
  end
  return picked
end

return status
