// SPDX-License-Identifier: Apache-2.0
// Rules of single kinds.
#include <algorithm>
#include <set>

#include "core/api/object.hpp"
#include "core/api/table/cells.hpp"
#include "core/api/table/pod_cells.hpp"
#include "core/api/table/table.hpp"

namespace flotilla::api::table {
namespace {

std::string join(const std::vector<std::string>& parts, std::string_view by = ",") {
  std::string out;
  for (const std::string& one : parts) {
    if (&one != &parts.front()) out += by;
    out += one;
  }
  return out;
}

std::string str(const Json& value) {
  return std::string(value.as_string());
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return text;
}

Json component(const Cell& cell, std::string_view what) {
  for (const Json& one : cell.at(".conditions").elements()) {
    if (one["type"].as_string() != "Healthy") continue;
    if (what != "status") return str(one[what]);
    return one["status"].as_string() == "True" ? "Healthy" : "Unhealthy";
  }
  return what == "status" ? "Unknown" : "";
}
Json component_status(const Cell& cell) {
  return component(cell, "status");
}
Json component_message(const Cell& cell) {
  return component(cell, "message");
}
Json component_error(const Cell& cell) {
  return component(cell, "error");
}

Json config_map_data(const Cell& cell) {
  return static_cast<std::int64_t>(cell.at(".data").size() + cell.at(".binaryData").size());
}

// At most three addresses by name, then how many more.
Json endpoints(const Cell& cell) {
  const Json& subsets = cell.at(".subsets");
  if (subsets.empty()) return "<none>";
  constexpr std::size_t kMost = 3;
  std::vector<std::string> list;
  std::size_t total = 0;
  for (const Json& subset : subsets.elements()) {
    const auto add = [&](std::string text) {
      if (++total <= kMost) list.push_back(std::move(text));
    };
    if (subset["ports"].empty()) {
      for (const Json& address : subset["addresses"].elements()) add(str(address["ip"]));
      continue;
    }
    for (const Json& port : subset["ports"].elements()) {
      for (const Json& address : subset["addresses"].elements()) {
        const std::string ip = str(address["ip"]);
        add((ip.find(':') == ip.npos ? ip : "[" + ip + "]") + ":" + std::to_string(port["port"].as_int()));
      }
    }
  }
  std::string text = join(list);
  if (total > kMost) text += " + " + std::to_string(total - kMost) + " more...";
  return text;
}

const Json& either(const Cell& cell, std::string_view a, std::string_view b) {
  const Json& first = cell.at(a);
  return first.is_null() ? cell.at(b) : first;
}

Json event_last_seen(const Cell& cell) {
  const Json& series = cell.at(".series.lastObservedTime");
  if (!series.is_null()) return age_of(series, cell.now);
  const Json& last = either(cell, ".lastTimestamp", ".deprecatedLastTimestamp");
  if (!last.is_null()) return age_of(last, cell.now);
  return event_first_seen_of(cell);
}
Json event_first_seen(const Cell& cell) {
  return event_first_seen_of(cell);
}

Json event_object(const Cell& cell) {
  const Json& object = either(cell, ".involvedObject", ".regarding");
  if (object["kind"].as_string().empty()) return str(object["name"]);
  return lower(str(object["kind"])) + "/" + str(object["name"]);
}

Json event_source(const Cell& cell) {
  const Json& source = either(cell, ".source", ".deprecatedSource");
  std::string component = str(source["component"]), host = str(source["host"]);
  if (component.empty()) component = str(either(cell, ".reportingComponent", ".reportingController"));
  if (host.empty()) host = str(cell.at(".reportingInstance"));
  return host.empty() ? component : component + ", " + host;
}

Json event_message(const Cell& cell) {
  std::string text = str(either(cell, ".message", ".note"));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Json event_count(const Cell& cell) {
  const Json& series = cell.at(".series.count");
  if (!series.is_null()) return series.as_int();
  const std::int64_t count = either(cell, ".count", ".deprecatedCount").as_int();
  return count == 0 ? 1 : count;
}

Json node_status(const Cell& cell) {
  std::string text;
  for (const Json& one : cell.at(".status.conditions").elements()) {
    if (one["type"].as_string() == "Ready") text = one["status"].as_string() == "True" ? "Ready" : "NotReady";
  }
  if (text.empty()) text = "Unknown";
  if (cell.at(".spec.unschedulable").as_bool()) text += ",SchedulingDisabled";
  return text;
}

Json node_roles(const Cell& cell) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [key, value] : cell.at(".metadata.labels").members()) {
    if (key.starts_with(kPrefix) && key.size() > kPrefix.size())
      roles.insert(std::string(key.substr(kPrefix.size())));
    if (key == "kubernetes.io/role" && !value.as_string().empty()) roles.insert(str(value));
  }
  return roles.empty() ? "<none>" : join({roles.begin(), roles.end()});
}

Json node_address(const Cell& cell) {
  for (const Json& one : cell.at(".status.addresses").elements()) {
    if (one["type"].as_string() == cell.argument(0)) return str(one["address"]);
  }
  return "<none>";
}

Json claim_status(const Cell& cell) {
  return cell.at(".metadata.deletionTimestamp").is_null() ? str(cell.at(".status.phase")) : "Terminating";
}
Json claim_capacity(const Cell& cell) {
  return cell.at(".spec.volumeName").as_string().empty() ? "" : str(cell.at(".status.capacity.storage"));
}
Json claim_modes(const Cell& cell) {
  return cell.at(".spec.volumeName").as_string().empty() ? "" : access_modes(cell.at(".status.accessModes"));
}
Json storage_class(const Cell& cell) {
  const std::string_view old = annotation_of(cell.object, "volume.beta.kubernetes.io/storage-class");
  return old.empty() ? str(cell.at(".spec.storageClassName")) : std::string(old);
}
Json volume_claim(const Cell& cell) {
  const Json& claim = cell.at(".spec.claimRef");
  return claim.is_null() ? "" : str(claim["namespace"]) + "/" + str(claim["name"]);
}

Json quota(const Cell& cell) {
  const bool limits = cell.argument(0) == "limits";
  std::string out;
  for (const auto& [name, hard] : cell.at(".status.hard").members()) {
    if (name.starts_with("limits.") != limits) continue;
    if (!out.empty()) out += ", ";
    out += std::string(name) + ": " + str(cell.at(".status.used")[name]) + "/" + str(hard);
  }
  return out;
}

Json load_balancer(const Cell& cell) {
  std::vector<std::string> found;
  for (const Json& one : cell.at(".status.loadBalancer.ingress").elements()) {
    found.push_back(str(one["ip"]).empty() ? str(one["hostname"]) : str(one["ip"]));
  }
  return join(found);
}

Json service_ip(const Cell& cell) {
  const std::string address = str(cell.at(".spec.clusterIP"));
  return address.empty() ? "<none>" : address;
}

Json service_external(const Cell& cell) {
  std::vector<std::string> external;
  for (const Json& one : cell.at(".spec.externalIPs").elements()) external.push_back(str(one));
  const std::string_view type = cell.at(".spec.type").as_string();
  if (type == "ExternalName") return str(cell.at(".spec.externalName"));
  if (type == "LoadBalancer") {
    const std::string given = str(load_balancer(cell));
    if (external.empty()) return given.empty() ? "<pending>" : given;
    if (!given.empty()) external.insert(external.begin(), given);
  }
  return external.empty() ? "<none>" : join(external);
}

Json service_ports(const Cell& cell) {
  std::vector<std::string> found;
  for (const Json& one : cell.at(".spec.ports").elements()) {
    std::string text = std::to_string(one["port"].as_int());
    if (one["nodePort"].as_int() > 0) text += ":" + std::to_string(one["nodePort"].as_int());
    found.push_back(text + "/" + str(one["protocol"]));
  }
  return found.empty() ? "<none>" : join(found);
}

Json api_service(const Cell& cell) {
  const Json& service = cell.at(".spec.service");
  return service.is_null() ? "Local" : str(service["namespace"]) + "/" + str(service["name"]);
}
Json api_service_available(const Cell& cell) {
  for (const Json& one : cell.at(".status.conditions").elements()) {
    if (one["type"].as_string() != "Available") continue;
    const std::string status = str(one["status"]);
    return status == "True" ? status : status + " (" + str(one["reason"]) + ")";
  }
  return "Unknown";
}

Json autoscaler_targets(const Cell& cell) {
  const Json& metrics = cell.at(".spec.metrics");
  const Json& current = cell.at(".status.currentMetrics");
  std::vector<std::string> found;
  constexpr std::size_t kMost = 2;
  for (std::size_t i = 0; i < metrics.size() && i < kMost; ++i) {
    const Json& spec = metrics.element(i);
    const std::string type = str(spec["type"]);
    std::string member = type;
    if (!member.empty()) member[0] = static_cast<char>(member[0] - 'A' + 'a');
    const Json& target = spec[member]["target"];
    const Json& now = current.element(i)[member]["current"];
    if (!target["averageUtilization"].is_null()) {
      const Json& usage = now["averageUtilization"];
      found.push_back((usage.is_null() ? "<unknown>" : std::to_string(usage.as_int()) + "%") + "/" +
                      std::to_string(target["averageUtilization"].as_int()) + "%");
      continue;
    }
    const char* which = target["averageValue"].is_null() ? "value" : "averageValue";
    const std::string usage = now[which].is_null() ? "<unknown>" : str(now[which]);
    found.push_back(usage + "/" + str(target[which]) +
                    (type == "External" && std::string_view(which) == "averageValue" ? " (avg)" : ""));
  }
  if (metrics.empty()) {
    const Json& target = cell.at(".spec.targetCPUUtilizationPercentage");
    if (target.is_null()) return "<none>";
    const Json& usage = cell.at(".status.currentCPUUtilizationPercentage");
    return (usage.is_null() ? "<unknown>" : std::to_string(usage.as_int()) + "%") + "/" +
           std::to_string(target.as_int()) + "%";
  }
  std::string text = join(found, ", ");
  if (metrics.size() > kMost) text += " + " + std::to_string(metrics.size() - kMost) + " more...";
  return text;
}

Json job_completions(const Cell& cell) {
  const std::string done = std::to_string(cell.at(".status.succeeded").as_int());
  const Json& completions = cell.at(".spec.completions");
  if (!completions.is_null()) return done + "/" + std::to_string(completions.as_int());
  const std::int64_t parallel = cell.at(".spec.parallelism").as_int();
  return parallel > 1 ? done + "/1 of " + std::to_string(parallel) : done + "/1";
}
Json job_duration(const Cell& cell) {
  auto start = parse_time(cell.at(".status.startTime").as_string());
  if (!start) return "";
  auto end = parse_time(cell.at(".status.completionTime").as_string());
  return human_duration((end ? *end : cell.now) - *start);
}

Json csr_duration(const Cell& cell) {
  const Json& seconds = cell.at(".spec.expirationSeconds");
  return seconds.is_null() ? "<none>" : human_duration(std::chrono::seconds(seconds.as_int()));
}
Json csr_condition(const Cell& cell) {
  bool approved = false, denied = false, failed = false;
  for (const Json& one : cell.at(".status.conditions").elements()) {
    approved = approved || one["type"].as_string() == "Approved";
    denied = denied || one["type"].as_string() == "Denied";
    failed = failed || one["type"].as_string() == "Failed";
  }
  std::string text = denied ? "Denied" : approved ? "Approved" : "Pending";
  if (failed) text += ",Failed";
  if (!cell.at(".status.certificate").as_string().empty()) text += ",Issued";
  return text;
}

Json slice_ports(const Cell& cell) {
  const Json& ports = cell.at(".ports");
  if (ports.empty()) return "<unset>";
  std::vector<std::string> found;
  for (const Json& one : ports.elements()) {
    if (found.size() < 3) found.push_back(one["port"].is_null() ? "*" : std::to_string(one["port"].as_int()));
  }
  std::string text = join(found);
  if (ports.size() > 3) text += " + " + std::to_string(ports.size() - 3) + " more...";
  return text;
}
Json slice_endpoints(const Cell& cell) {
  std::vector<std::string> found;
  std::size_t total = 0;
  for (const Json& one : cell.at(".endpoints").elements()) {
    for (const Json& address : one["addresses"].elements()) {
      if (++total <= 3) found.push_back(str(address));
    }
  }
  if (total == 0) return "<unset>";
  std::string text = join(found);
  if (total > 3) text += " + " + std::to_string(total - 3) + " more...";
  return text;
}

Json flow_schema_missing(const Cell& cell) {
  for (const Json& one : cell.at(".status.conditions").elements()) {
    if (one["type"].as_string() == "Dangling") return str(one["status"]);
  }
  return "?";
}
Json priority_level(const Cell& cell) {
  const Json& limited = cell.at(".spec.limited");
  if (cell.argument(0) == "shares") {
    const Json& shares = limited["nominalConcurrencyShares"].is_null() ? limited["assuredConcurrencyShares"]
                                                                       : limited["nominalConcurrencyShares"];
    return shares.is_null() ? Json("<none>") : shares;
  }
  const Json& value = limited["limitResponse"]["queuing"][cell.argument(0)];
  return value.is_null() ? Json("<none>") : value;
}

Json ingress_class_parameters(const Cell& cell) {
  const Json& parameters = cell.at(".spec.parameters");
  if (parameters.is_null()) return "<none>";
  const std::string group = str(parameters["apiGroup"]);
  return str(parameters["kind"]) + (group.empty() ? "" : "." + group) + "/" + str(parameters["name"]);
}
Json ingress_hosts(const Cell& cell) {
  std::vector<std::string> found;
  const Json& rules = cell.at(".spec.rules");
  for (const Json& one : rules.elements()) {
    if (found.size() < 3 && !str(one["host"]).empty()) found.push_back(str(one["host"]));
  }
  if (found.empty()) return "*";
  std::string text = join(found);
  if (rules.size() > 3) text += " + " + std::to_string(rules.size() - 3) + " more...";
  return text;
}
Json ingress_ports(const Cell& cell) {
  return cell.at(".spec.tls").empty() ? "80" : "80, 443";
}

Json token_requests(const Cell& cell) {
  std::vector<std::string> found;
  for (const Json& one : cell.at(".spec.tokenRequests").elements()) found.push_back(str(one["audience"]));
  return found.empty() ? "<unset>" : join(found);
}
Json class_name(const Cell& cell) {
  const bool preset =
      annotation_of(cell.object, "storageclass.kubernetes.io/is-default-class") == "true" ||
      annotation_of(cell.object, "storageclass.beta.kubernetes.io/is-default-class") == "true";
  return std::string(name_of(cell.object)) + (preset ? " (default)" : "");
}

Json parameter_kind(const Cell& cell) {
  const Json& kind = cell.at(".spec.paramKind");
  return kind.is_null() ? "<unset>" : str(kind["apiVersion"]) + "/" + str(kind["kind"]);
}
Json parameter_reference(const Cell& cell) {
  const Json& reference = cell.at(".spec.paramRef");
  if (reference.is_null()) return "<unset>";
  if (str(reference["name"]).empty()) return format_selector(reference["selector"]);
  const std::string space = str(reference["namespace"]);
  return (space.empty() ? "" : space + "/") + str(reference["name"]);
}

}  // namespace

Json event_first_seen_of(const Cell& cell) {
  const Json& first = either(cell, ".firstTimestamp", ".deprecatedFirstTimestamp");
  return age_of(first.is_null() ? cell.at(".eventTime") : first, cell.now);
}

const std::unordered_map<std::string_view, Rule>& kind_rules() {
  static const std::unordered_map<std::string_view, Rule> rules = {
      {"component_status", component_status},
      {"component_message", component_message},
      {"component_error", component_error},
      {"config_map_data", config_map_data},
      {"endpoints", endpoints},
      {"event_last_seen", event_last_seen},
      {"event_first_seen", event_first_seen},
      {"event_object", event_object},
      {"event_source", event_source},
      {"event_message", event_message},
      {"event_count", event_count},
      {"node_status", node_status},
      {"node_roles", node_roles},
      {"node_address", node_address},
      {"claim_status", claim_status},
      {"claim_capacity", claim_capacity},
      {"claim_modes", claim_modes},
      {"claim_class", storage_class},
      {"volume_status", claim_status},
      {"volume_claim", volume_claim},
      {"volume_class", storage_class},
      {"pod_ready", pod_ready},
      {"pod_status", pod_status},
      {"pod_restarts", pod_restarts},
      {"pod_ip", pod_ip},
      {"pod_gates", pod_gates},
      {"quota", quota},
      {"load_balancer", load_balancer},
      {"service_ip", service_ip},
      {"service_external", service_external},
      {"service_ports", service_ports},
      {"api_service", api_service},
      {"api_service_available", api_service_available},
      {"autoscaler_targets", autoscaler_targets},
      {"job_completions", job_completions},
      {"job_duration", job_duration},
      {"csr_duration", csr_duration},
      {"csr_condition", csr_condition},
      {"slice_ports", slice_ports},
      {"slice_endpoints", slice_endpoints},
      {"flow_schema_missing", flow_schema_missing},
      {"priority_level", priority_level},
      {"ingress_class_parameters", ingress_class_parameters},
      {"ingress_hosts", ingress_hosts},
      {"ingress_ports", ingress_ports},
      {"token_requests", token_requests},
      {"class_name", class_name},
      {"parameter_kind", parameter_kind},
      {"parameter_reference", parameter_reference},
  };
  return rules;
}

}  // namespace flotilla::api::table
