// SPDX-License-Identifier: Apache-2.0
#include "core/planning/reach.hpp"

#include <set>

#include "core/api/names.hpp"
#include "core/api/resource_selector.hpp"
#include "core/controllers/propagation/claim.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

class Reach {
 public:
  Reach(const Sources& sources, Rehearsal& rehearsal) : sources_(sources), rehearsal_(rehearsal) {}

  Status follow(const Change& change) {
    const Collection collection = change.kind.collection();
    if (is_propagation_policy(collection) || is_override_policy(collection)) return follow_policy(change);
    if (collection == k::kCluster.collection()) return follow_cluster();
    if (const ObjectPtr object = rehearsal_.look(collection, change.key)) {
      add(collection, object, *object->content());
    } else if (!change.removes()) {
      namespaces_.insert(change.key.ns);
      rehearsal_.look(c::scope_of_template(change.key.ns).kind.collection(), binding_key(change.object));
    }
    return {};
  }

  // Last: now the namespaces are known.
  void introduce_settings() {
    introduce_all(k::kCluster, {});
    introduce_all(k::kClusterOverridePolicy, {});
    introduce_all(k::kClusterPropagationPolicy, {});
    for (const std::string& ns : namespaces_) {
      if (ns.empty()) continue;
      introduce_all(k::kOverridePolicy, ns);
      introduce_all(k::kPropagationPolicy, ns);
      const Collection quotas = store::collection_of("policy.karmada.io", "federatedresourcequotas");
      for (const ObjectPtr& quota : sources_.store.list(quotas, ns).objects)
        rehearsal_.look(quotas, quota->key());
    }
    for (const auto& [collection, key] : unclaimed_) rehearsal_.introduce(collection, key);
  }

 private:
  void introduce_all(const StoredKind& kind, std::string_view ns) {
    const Collection collection = kind.collection();
    for (const ObjectPtr& object : sources_.store.list(collection, ns).objects)
      rehearsal_.introduce(collection, object->key());
  }

  // A template, its binding and (by way of that) its Works.
  void add(const Collection& collection, const ObjectPtr& object, const Json& content) {
    rehearsal_.look(collection, object->key());
    namespaces_.insert(object->ns());
    rehearsal_.look(c::scope_of_template(object->ns()).kind.collection(), binding_key(content));
    // The detector keeps in mind those that no policy means.
    if (!c::claim_on(content)) unclaimed_.insert({collection, object->key()});
    ++templates_;
  }

  Status check() const {
    if (templates_ <= kMostTemplates) return {};
    return Error(Code::TooLarge, "the change reaches more than " + std::to_string(kMostTemplates) +
                                     " templates: narrow its resourceSelectors and plan step by step");
  }

  Status follow_policy(const Change& change) {
    const Collection collection = change.kind.collection();
    namespaces_.insert(change.key.ns);
    const ObjectPtr present = rehearsal_.look(collection, change.key);
    std::vector<api::ResourceSelector> selectors;
    bool everything = false;
    const auto read = [&](const Json& policy) {
      const Json& list = policy["spec"]["resourceSelectors"];
      everything = everything || (list.empty() && is_override_policy(collection));
      for (api::ResourceSelector& selector : api::resource_selectors(list))
        selectors.push_back(std::move(selector));
    };
    if (present) read(*present->content());
    if (!change.removes()) read(change.object);
    if (everything) return follow_bindings(change.key.ns);
    for (const api::ResourceSelector& selector : selectors) {
      if (Status done = follow_selector(selector, change.key.ns); !done) return done;
    }
    return {};
  }

  Status follow_selector(const api::ResourceSelector& selector, const std::string& policy_ns) {
    const api::Gvk gvk = api::Gvk::from(selector.api_version(), selector.kind());
    const api::ResourcePtr resource = sources_.resources()->find_kind(gvk);
    if (!resource) return {};
    const Collection collection = StoredKind::of(*resource).collection();
    const std::string& ns = policy_ns.empty() ? selector.name_space() : policy_ns;
    if (!selector.name().empty() && (!ns.empty() || !resource->namespaced)) {
      const ObjectPtr object = sources_.store.get(collection, ns, selector.name());
      if (object) add(collection, object, *object->content());
      return check();
    }
    for (const ObjectPtr& object : sources_.store.list(collection, ns).objects) {
      const auto content = object->content();
      if (selector.match(*content) == api::MatchPrecision::None) continue;
      add(collection, object, *content);
      if (Status few = check(); !few) return few;
    }
    return {};
  }

  Status follow_cluster() { return follow_bindings({}); }

  Status follow_bindings(const std::string& ns) {
    for (const c::BindingScope* scope : {&c::kNamespacedScope, &c::kClusterScope}) {
      if (!ns.empty() && !scope->namespaced) continue;
      const Collection collection = scope->kind.collection();
      for (const ObjectPtr& binding : sources_.store.list(collection, ns).objects) {
        rehearsal_.look(collection, binding->key());
        namespaces_.insert(binding->ns());
        ++templates_;
        if (Status few = check(); !few) return few;
      }
    }
    return {};
  }

  const Sources& sources_;
  Rehearsal& rehearsal_;
  std::set<std::string> namespaces_;
  std::set<std::pair<Collection, ObjectKey>> unclaimed_;
  std::size_t templates_ = 0;
};

}  // namespace

bool is_propagation_policy(const Collection& collection) {
  return collection == k::kPropagationPolicy.collection() ||
         collection == k::kClusterPropagationPolicy.collection();
}

bool is_override_policy(const Collection& collection) {
  return collection == k::kOverridePolicy.collection() ||
         collection == k::kClusterOverridePolicy.collection();
}

ObjectKey binding_key(const Json& template_) {
  return {std::string(api::namespace_of(template_)),
          api::binding_name(template_["kind"].as_string(), api::name_of(template_))};
}

Status introduce_reach(const Sources& sources, const std::vector<Change>& changes, Rehearsal& rehearsal) {
  Reach reach(sources, rehearsal);
  for (const Change& change : changes) {
    if (Status followed = reach.follow(change); !followed) return followed;
  }
  reach.introduce_settings();
  return {};
}

}  // namespace flotilla::planning
