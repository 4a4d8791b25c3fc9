// SPDX-License-Identifier: Apache-2.0
#include "core/planning/live.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/controllers/dispatch/member_update.hpp"
#include "core/planning/fields.hpp"
#include "core/planning/render.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

using Leaves = std::map<std::string, const Json*>;

// Fields that a cluster fills in for itself.
bool is_members_own(std::string_view path) {
  static constexpr std::string_view kWhole[] = {
      "metadata.ownerReferences",
      "metadata.finalizers",
      "metadata.selfLink",
      "metadata.generateName",
      "spec.clusterIP",
      "spec.clusterIPs",
      "spec.ipFamilies",
      "spec.ipFamilyPolicy",
      "spec.healthCheckNodePort",
      "spec.volumeName",
      "spec.nodeName",
      "spec.internalTrafficPolicy",
      "spec.externalTrafficPolicy",
      "secrets",
      "imagePullSecrets",
      "metadata.annotations[deployment.kubernetes.io/revision]",
      "metadata.annotations[pv.kubernetes.io/bind-completed]",
      "metadata.annotations[pv.kubernetes.io/bound-by-controller]",
      "metadata.annotations[deprecated.daemonset.template.generation]"};
  for (const std::string_view whole : kWhole) {
    if (path.starts_with(whole) &&
        (path.size() == whole.size() || path[whole.size()] == '.' || path[whole.size()] == '['))
      return true;
  }
  const bool mark = path.starts_with("metadata.annotations[") || path.starts_with("metadata.labels[");
  if (mark && path.find("karmada.io/") != path.npos) return true;
  return path.starts_with("spec.ports[") && path.ends_with(".nodePort");
}

void flatten(const std::string& path, const Json& value, Leaves& into) {
  if (!path.empty() && is_members_own(path)) return;
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, member] : value.members()) flatten(join_key(path, key), member, into);
  } else if (value.is_array() && !value.empty()) {
    const std::string_view key = element_key(value);
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Json& element = value.element(i);
      const std::string place =
          key.empty() ? join_index(path, i) : path + "[" + std::string(element[key].as_string()) + "]";
      flatten(place, element, into);
    }
  } else if (!value.is_null() && !(value.is_object() || value.is_array())) {
    into.emplace(path, &value);
  }
}

Leaves leaves_of(const Json& object) {
  Leaves leaves;
  flatten("", object, leaves);
  return leaves;
}

// "/spec/containers/0/image" as flatten() calls it.
std::string path_of(const Json& document, std::string_view pointer) {
  std::string path;
  const Json* at = &document;
  while (!pointer.empty() && at != nullptr) {
    pointer.remove_prefix(1);
    std::string step(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(std::min(step.size(), pointer.size()));
    for (std::size_t tilde = step.find('~'); tilde != step.npos; tilde = step.find('~', tilde + 1))
      step.replace(tilde, 2, step[tilde + 1] == '1' ? "/" : "~");
    if (at->is_array()) {
      const std::size_t index = std::stoul(step);
      const std::string_view key = element_key(*at);
      const Json& element = at->element(index);
      path = key.empty() ? join_index(path, index) : path + "[" + std::string(element[key].as_string()) + "]";
      at = &element;
    } else {
      path = join_key(path, step);
      at = at->find(step);
    }
  }
  return path;
}

bool covers(std::string_view above, std::string_view path) {
  return path.starts_with(above) &&
         (path.size() == above.size() || path[above.size()] == '.' || path[above.size()] == '[');
}

// Per cluster: which hand wrote which path.
class Causes {
 public:
  Causes(const Sources& sources, const Subject& subject, const std::vector<LiveObject>& live) {
    if (!subject.template_ || !subject.binding) return;
    std::vector<std::string> clusters;
    for (const LiveObject& one : live) clusters.push_back(one.cluster);
    const auto rendered = render(sources, subject, clusters);
    if (!rendered) return;
    for (const RenderedManifest& one : *rendered) {
      for (const Blame::Part& part : one.blame.written()) {
        const Hand& hand = one.hands[static_cast<std::size_t>(part.by)];
        if (hand.who == "flotilla") continue;
        by_cluster_[one.cluster].emplace_back(path_of(one.manifest, part.pointer),
                                              hand.who + " " + hand.what);
      }
    }
  }

  std::string of(const std::string& cluster, const std::string& path) const {
    const auto it = by_cluster_.find(cluster);
    if (it == by_cluster_.end()) return {};
    std::string found;
    std::size_t longest = 0;
    for (const auto& [above, cause] : it->second) {
      if (covers(above, path) && above.size() >= longest) found = cause, longest = above.size();
    }
    return found;
  }

 private:
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> by_cluster_;
};

Task<LiveObject> read_one(const Sources* sources, api::Gvk gvk, ObjectKey key, std::string cluster) {
  LiveObject live{cluster, std::nullopt, "unknown", ""};
  const ObjectPtr object = sources->get(k::kCluster, {"", cluster});
  if (!object) {
    live.message = "there is no such cluster";
    co_return live;
  }
  const auto member = sources->clusters.find(cluster);
  const bool ready =
      api::is_condition_true((*object->content())["status"]["conditions"], api::conditions::kReady);
  if (!member || !ready) {
    live.message = member ? "the cluster is not Ready" : "the cluster is not attached";
    co_return live;
  }
  auto finding = member->resource_of(gvk);
  const auto resource = co_await std::move(finding);
  if (!resource) {
    live.state = resource.error().is(Code::NotFound) ? "absent" : "unknown";
    live.message = resource.error().message();
    co_return live;
  }
  auto getting =
      member->connection().get({resource->group, resource->version, resource->resource}, key.ns, key.name);
  auto got = co_await std::move(getting);
  if (got) {
    live.state = "present";
    live.object = *std::move(got);
  } else if (got.error().is(Code::NotFound)) {
    live.state = "absent";
  } else {
    live.message = got.error().message();
  }
  co_return live;
}

void drift_of(const Sources& sources, const Json& manifest, const LiveObject& live, Json& out) {
  const auto add = [&](const std::string& path, const Json* desired, const Json* there) {
    Json entry = Json::object({{"path", path}, {"cluster", live.cluster}});
    if (desired != nullptr) entry.set("desired", *desired);
    if (there != nullptr) entry.set("live", *there);
    out.push_back(std::move(entry));
  };
  auto update = c::plan_member_update(live.cluster, manifest, *live.object, sources.interpreter);
  if (!update) {
    out.push_back(
        Json::object({{"path", ""}, {"cluster", live.cluster}, {"message", update.error().message()}}));
    return;
  }
  if (!*update) return;
  const Json wanted = comparable(**update);
  const Json there = comparable(*live.object);
  const Leaves desired_leaves = leaves_of(wanted);
  const Leaves live_leaves = leaves_of(there);
  for (const auto& [path, value] : desired_leaves) {
    const auto it = live_leaves.find(path);
    if (it == live_leaves.end()) {
      add(path, value, nullptr);
    } else if (!(*it->second == *value)) {
      add(path, value, it->second);
    }
  }
}

}  // namespace

Task<std::vector<LiveObject>> read_live(const Sources* sources, Subject subject,
                                        std::vector<std::string> clusters) {
  std::vector<LiveObject> all;
  for (const std::string& cluster : clusters) {
    auto reading = read_one(sources, subject.kind.gvk, subject.key, cluster);
    all.push_back(co_await std::move(reading));
  }
  co_return all;
}

Json compare_members(const Sources& sources, const Subject& subject, const std::vector<LiveObject>& live) {
  std::vector<Json> documents;
  std::vector<const LiveObject*> present;
  for (const LiveObject& one : live) {
    if (!one.object) continue;
    documents.push_back(comparable(*one.object));
    present.push_back(&one);
  }
  std::vector<Leaves> leaves;
  std::set<std::string> paths;
  for (const Json& document : documents) {
    leaves.push_back(leaves_of(document));
    for (const auto& [path, value] : leaves.back()) paths.insert(path);
  }
  const Causes causes(sources, subject, live);
  Json fields = Json::array();
  for (const std::string& path : paths) {
    Json values = Json::object(), because = Json::object();
    bool same = true;
    const auto first = leaves.front().find(path);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const auto it = leaves[i].find(path);
      const bool here = it != leaves[i].end();
      same = same && here && first != leaves.front().end() && *it->second == *first->second;
      if (here) values.set(present[i]->cluster, *it->second);
      if (const std::string cause = causes.of(present[i]->cluster, path); !cause.empty())
        because.set(present[i]->cluster, cause);
    }
    if (same) continue;
    Json field = Json::object({{"path", path}, {"values", std::move(values)}});
    if (!because.empty()) field.set("because", std::move(because));
    fields.push_back(std::move(field));
  }
  return fields;
}

Json compare_with_desired(const Sources& sources, const Subject& subject,
                          const std::vector<LiveObject>& live) {
  Json fields = Json::array();
  for (const LiveObject& one : live) {
    const ObjectPtr work = work_in(subject, one.cluster);
    if (one.state == "unknown") continue;
    if (!work) {
      if (one.object)
        fields.push_back(Json::object(
            {{"path", ""}, {"cluster", one.cluster}, {"message", "is there, but nothing was sent"}}));
      continue;
    }
    const auto content = work->content();
    const Json& manifest = (*content)["spec"]["workload"]["manifests"].element(0);
    if (!one.object) {
      fields.push_back(
          Json::object({{"path", ""}, {"cluster", one.cluster}, {"message", "was sent, but is not there"}}));
      continue;
    }
    drift_of(sources, manifest, one, fields);
  }
  return fields;
}

Json diff_to_json(const Sources& sources, const Subject& subject, const std::vector<LiveObject>& live,
                  bool desired) {
  Json clusters = Json::array();
  for (const LiveObject& one : live) {
    Json entry = Json::object({{"cluster", one.cluster}, {"state", one.state}});
    if (!one.message.empty()) entry.set("message", one.message);
    clusters.push_back(std::move(entry));
  }
  return Json::object({{"kind", "Diff"},
                       {"desired", desired},
                       {"clusters", std::move(clusters)},
                       {"fields", desired ? compare_with_desired(sources, subject, live)
                                          : compare_members(sources, subject, live)}});
}

}  // namespace flotilla::planning
