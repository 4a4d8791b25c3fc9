// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/bootstrap_flow.hpp"

#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {
namespace {

struct LevelRow {
  std::string_view name;
  int shares, lendable, queues, hand_size;  // no queues: what is too much is refused
};

constexpr LevelRow kLevels[] = {
    {"catch-all", 5, 0, 0, 0},          {"node-high", 40, 25, 64, 6},      {"system", 30, 33, 64, 6},
    {"leader-election", 10, 0, 16, 4},  {"workload-high", 40, 50, 128, 6}, {"workload-low", 100, 90, 128, 6},
    {"global-default", 20, 50, 128, 6},
};

// Subjects: "g:" a group, "u:" a user, "s:" a service account of kube-system. Rules: "*" is everything,
// "verbs|group|resources|namespaces" a rule for resources ("-": of the cluster), "verbs|paths" one for paths.
struct SchemaRow {
  std::string_view name, level;
  int precedence;
  std::string_view distinguisher;  // empty: all are one flow
  std::string_view subjects;
  std::string_view rules;  // separated by spaces
};

constexpr std::string_view kEverybody = "g:system:unauthenticated g:system:authenticated";
constexpr SchemaRow kSchemas[] = {
    {"exempt", "exempt", 1, "", "g:system:masters", "*"},
    {"probes", "exempt", 2, "", kEverybody, "get|/healthz,/readyz,/livez"},
    {"system-leader-election", "leader-election", 100, "ByUser",
     "u:system:kube-controller-manager u:system:kube-scheduler s:*",
     "get,create,update|coordination.k8s.io|leases|kube-system"},
    {"endpoint-controller", "workload-high", 150, "ByUser",
     "u:system:kube-controller-manager s:endpoint-controller s:endpointslicemirroring-controller",
     "get,create,update||endpoints|*"},
    {"workload-leader-election", "leader-election", 200, "ByUser", "s:*",
     "get,create,update|coordination.k8s.io|leases|*"},
    {"system-node-high", "node-high", 400, "ByUser", "g:system:nodes",
     "*||nodes,nodes/status|- *|coordination.k8s.io|leases|*"},
    {"system-nodes", "system", 500, "ByUser", "g:system:nodes", "*"},
    {"kube-controller-manager", "workload-high", 800, "ByNamespace", "u:system:kube-controller-manager", "*"},
    {"kube-scheduler", "workload-high", 800, "ByNamespace", "u:system:kube-scheduler", "*"},
    {"kube-system-service-accounts", "workload-high", 900, "ByNamespace", "s:*", "*"},
    {"service-accounts", "workload-low", 9000, "ByUser", "g:system:serviceaccounts", "*"},
    {"global-default", "global-default", 9900, "ByUser", kEverybody, "*"},
    {"catch-all", "catch-all", 10000, "ByUser", kEverybody, "*"},
};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + 1);
  }
}

Json list(std::string_view text) {
  Json out = Json::array();
  for (const std::string_view one : split(text, ',')) out.push_back(one);
  return out;
}

Json subject(std::string_view text) {
  const std::string_view name = text.substr(2);
  if (text[0] == 'g') return Json::object({{"kind", "Group"}, {"group", Json::object({{"name", name}})}});
  if (text[0] == 'u') return Json::object({{"kind", "User"}, {"user", Json::object({{"name", name}})}});
  return Json::object({{"kind", "ServiceAccount"},
                       {"serviceAccount", Json::object({{"name", name}, {"namespace", "kube-system"}})}});
}

void add_rule(std::string_view text, Json& rules) {
  if (text == "*") {
    rules["resourceRules"].push_back(Json::object({{"verbs", list("*")},
                                                   {"apiGroups", list("*")},
                                                   {"resources", list("*")},
                                                   {"clusterScope", true},
                                                   {"namespaces", list("*")}}));
    rules["nonResourceRules"].push_back(Json::object({{"verbs", list("*")}, {"nonResourceURLs", list("*")}}));
    return;
  }
  const auto parts = split(text, '|');
  if (parts.size() == 2) {
    rules["nonResourceRules"].push_back(
        Json::object({{"verbs", list(parts[0])}, {"nonResourceURLs", list(parts[1])}}));
    return;
  }
  Json rule =
      Json::object({{"verbs", list(parts[0])}, {"apiGroups", list(parts[1])}, {"resources", list(parts[2])}});
  if (parts[3] == "-") {
    rule.set("clusterScope", true);
  } else {
    rule.set("namespaces", list(parts[3]));
  }
  rules["resourceRules"].push_back(std::move(rule));
}

Json object_of(std::string_view kind, std::string_view name, WallTime now) {
  Json metadata =
      Json::object({{"name", name},
                    {"uid", new_uid()},
                    {"generation", 1},
                    {"creationTimestamp", format_time(now)},
                    {"annotations", Json::object({{"apf.kubernetes.io/autoupdate-spec", "true"}})}});
  return Json::object({{"apiVersion", "flowcontrol.apiserver.k8s.io/v1beta3"},
                       {"kind", kind},
                       {"metadata", std::move(metadata)}});
}

Json limited_level(const LevelRow& row) {
  Json response = Json::object({{"type", row.queues > 0 ? "Queue" : "Reject"}});
  if (row.queues > 0) {
    response.set(
        "queuing",
        Json::object({{"handSize", row.hand_size}, {"queueLengthLimit", 50}, {"queues", row.queues}}));
  }
  return Json::object({{"nominalConcurrencyShares", row.shares},
                       {"lendablePercent", row.lendable},
                       {"limitResponse", std::move(response)}});
}

}  // namespace

std::vector<Json> priority_levels(WallTime now) {
  std::vector<Json> out;
  Json exempt = object_of("PriorityLevelConfiguration", "exempt", now);
  exempt.set(
      "spec",
      Json::object({{"type", "Exempt"},
                    {"exempt", Json::object({{"nominalConcurrencyShares", 0}, {"lendablePercent", 0}})}}));
  exempt.set("status", Json::object());
  out.push_back(std::move(exempt));
  for (const LevelRow& row : kLevels) {
    Json level = object_of("PriorityLevelConfiguration", row.name, now);
    level.set("spec", Json::object({{"type", "Limited"}, {"limited", limited_level(row)}}));
    level.set("status", Json::object());
    out.push_back(std::move(level));
  }
  return out;
}

std::vector<Json> flow_schemas(WallTime now) {
  std::vector<Json> out;
  for (const SchemaRow& row : kSchemas) {
    Json rules = Json::object();
    for (const std::string_view one : split(row.subjects, ' ')) rules["subjects"].push_back(subject(one));
    for (const std::string_view one : split(row.rules, ' ')) add_rule(one, rules);
    Json spec = Json::object({{"priorityLevelConfiguration", Json::object({{"name", row.level}})},
                              {"matchingPrecedence", row.precedence},
                              {"rules", Json::array({std::move(rules)})}});
    if (!row.distinguisher.empty())
      spec.set("distinguisherMethod", Json::object({{"type", row.distinguisher}}));
    Json schema = object_of("FlowSchema", row.name, now);
    schema.set("spec", std::move(spec));
    const std::string found = "This FlowSchema references the PriorityLevelConfiguration object named " +
                              quoted(row.level) + " and it exists";
    Json condition = Json::object({{"type", "Dangling"},
                                   {"status", "False"},
                                   {"lastTransitionTime", format_time(now)},
                                   {"reason", "Found"},
                                   {"message", found}});
    schema.set("status", Json::object({{"conditions", Json::array({std::move(condition)})}}));
    out.push_back(std::move(schema));
  }
  return out;
}

}  // namespace flotilla::apiserver
