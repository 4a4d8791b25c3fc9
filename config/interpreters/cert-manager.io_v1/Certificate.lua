-- SPDX-License-Identifier: Apache-2.0
local status = require("status")

-- Each member has its own certificate: the whole is valid as long as the first of them, and is to be renewed
-- when the first is.
function AggregateStatus(object, items)
  local aggregated = {conditions = status.mergeConditions(items)}
  for _, item in ipairs(items) do
    local member = item.status or {}
    for _, field in ipairs({"notAfter", "renewalTime"}) do
      aggregated[field] = status.earlier(aggregated[field], member[field])
    end
    aggregated.notBefore = status.later(aggregated.notBefore, member.notBefore)
  end
  object.status = aggregated
  return object
end

function InterpretHealth(object)
  return status.condition(object, "Ready").status == "True"
end

-- Issuers of the namespace are propagated with what they issue; those of the cluster are not, they serve many.
function GetDependencies(object)
  local issuer = object.spec.issuerRef or {}
  if issuer.name == nil or (issuer.group or "cert-manager.io") ~= "cert-manager.io"
    or (issuer.kind or "Issuer") ~= "Issuer" then
    return {}
  end
  return {{
    apiVersion = "cert-manager.io/v1", kind = "Issuer", namespace = object.metadata.namespace,
    name = issuer.name,
  }}
end
