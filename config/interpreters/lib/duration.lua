-- SPDX-License-Identifier: Apache-2.0
-- Durations as Go writes them: 1h2m3.5s.
local duration = {}

local SECONDS = {h = 3600, m = 60, s = 1, ms = 1e-3, us = 1e-6, ns = 1e-9}

function duration.seconds(text)
  local sum = 0
  for number, unit in string.gmatch(text or "", "([%d.]+)(%a+)") do
    sum = sum + (tonumber(number) or 0) * (SECONDS[unit] or 0)
  end
  return sum
end

function duration.longer(one, other)
  if one == nil or duration.seconds(other) > duration.seconds(one) then
    return other or one
  end
  return one
end

return duration
