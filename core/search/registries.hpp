// SPDX-License-Identifier: Apache-2.0
// What ResourceRegistries ask for: which resources of which members are cached, in which namespaces they are
// shown through the proxy, and where a member's objects are indexed. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/cluster_affinity.hpp"
#include "core/api/schema/registry.hpp"

namespace flotilla::search {

using api::Gvr;
using api::Json;
using api::ResourcePtr;

// Some namespaces, or all of them.
class Namespaces {
 public:
  static Namespaces all();
  void add(std::string_view ns);  // the empty one: all
  void merge(const Namespaces& others);

  bool has_all() const { return all_; }
  bool contains(std::string_view ns) const { return all_ || names_.contains(ns); }
  // The one that there is, where there is just one.
  std::optional<std::string> single() const;
  bool operator==(const Namespaces&) const = default;

 private:
  bool all_ = false;
  std::set<std::string, std::less<>> names_;
};

// spec.backendStore.openSearch
struct OpenSearchTarget {
  std::vector<std::string> addresses;
  std::string secret_ns, secret_name;  // empty: nobody logs in
  bool operator==(const OpenSearchTarget&) const = default;
};

// What one member has to be asked for.
struct Wanted {
  std::map<Gvr, Namespaces> resources;
  std::optional<OpenSearchTarget> index;
};

class Registries {
 public:
  // Null: no such kind is served here.
  using FindKind = std::function<ResourcePtr(const api::Gvk&)>;

  Registries() = default;
  // ResourceRegistry objects; they count in the order of their names.
  Registries(std::vector<Json> objects, const FindKind& find_kind);

  // All that a registry names, whether a member has it or not.
  const std::map<Gvr, ResourcePtr>& resources() const { return resources_; }
  // "apps/v1 Foo": named, but served by nobody here.
  const std::set<std::string>& unknown_kinds() const { return unknown_; }
  const std::set<std::pair<std::string, std::string>>& secrets() const { return secrets_; }
  bool empty() const { return registries_.empty(); }
  // Nothing of a member that is not Ready or goes away.
  Wanted wanted_of(const Json& cluster) const;

 private:
  struct Registry {
    api::ClusterAffinity clusters;
    std::map<Gvr, Namespaces> resources;
    std::optional<OpenSearchTarget> index;
  };
  void read_selectors(const Json& selectors, const FindKind& find_kind, Registry& registry);

  std::vector<Registry> registries_;
  std::map<Gvr, ResourcePtr> resources_;
  std::set<std::string> unknown_;
  std::set<std::pair<std::string, std::string>> secrets_;
};

}  // namespace flotilla::search
