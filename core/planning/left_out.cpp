// SPDX-License-Identifier: Apache-2.0
#include "core/planning/left_out.hpp"

#include <set>

#include "core/api/taint.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;

constexpr std::size_t kMost = 100;

// A target as autoscalers name it: namespace, apiVersion, kind, name.
std::string target_text(std::string_view ns, const Json& reference) {
  std::string text(ns);
  for (const char* part : {"apiVersion", "kind", "name"})
    text.append(" ").append(reference[part].as_string());
  return text;
}

class Omissions {
 public:
  Omissions(const Sources& sources, const std::vector<Change>& changes,
            const std::map<ObjectKey, TemplateEffect>& effects)
      : sources_(sources), changes_(changes) {
    for (const auto& [key, effect] : effects) touched_.insert(target_text(key.ns, effect.reference));
  }

  Json find() {
    add_autoscalers(c::kinds::kFederatedHpa, "its metrics decide the replicas later");
    add_autoscalers(c::kinds::kCronFederatedHpa, "its rules set the replicas at their times");
    for (const Change& change : changes_) {
      if (change.kind.collection() == c::kinds::kCluster.collection() && !change.removes())
        add_taints(change);
    }
    return std::move(found_);
  }

 private:
  void add(const StoredKind& kind, const ObjectKey& key, const std::string& message) {
    if (found_.size() < kMost) {
      found_.push_back(Json::object({{"apiVersion", kind.gvk.api_version()},
                                     {"kind", kind.gvk.kind},
                                     {"name", key.text()},
                                     {"message", message}}));
    }
  }

  // Those that are changed, and those of templates that are.
  void add_autoscalers(const StoredKind& kind, const std::string& message) {
    std::set<ObjectKey> named;
    for (const Change& change : changes_) {
      if (change.kind.collection() != kind.collection() || change.removes()) continue;
      named.insert(change.key);
      add(kind, change.key, message);
    }
    for (const ObjectPtr& autoscaler : sources_.store.list(kind.collection()).objects) {
      if (named.contains(autoscaler->key())) continue;
      const auto content = autoscaler->content();
      if (touched_.contains(target_text(autoscaler->ns(), (*content)["spec"]["scaleTargetRef"])))
        add(kind, autoscaler->key(), message);
    }
  }

  void add_taints(const Change& change) {
    for (const Json& taint : change.object["spec"]["taints"].elements()) {
      if (taint["effect"].as_string() != api::kNoExecute) continue;
      const bool evicts = sources_.options.feature_gates.failover && sources_.options.enable_taint_manager &&
                          sources_.options.enable_no_execute_taint_eviction;
      add(change.kind, change.key,
          evicts ? "what tolerates taint " + std::string(taint["key"].as_string()) +
                       " for some seconds leaves when they are over; old copies go when their replacements "
                       "are healthy"
                 : "taint " + std::string(taint["key"].as_string()) +
                       " evicts nothing: eviction by NoExecute taints is switched off");
    }
  }

  const Sources& sources_;
  const std::vector<Change>& changes_;
  std::set<std::string> touched_;
  Json found_ = Json::array();
};

}  // namespace

Json left_out(const Sources& sources, const std::vector<Change>& changes,
              const std::map<ObjectKey, TemplateEffect>& effects) {
  return Omissions(sources, changes, effects).find();
}

}  // namespace flotilla::planning
