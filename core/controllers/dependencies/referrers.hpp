// SPDX-License-Identifier: Apache-2.0
// Who depends on an object: independent bindings by what their annotation kDependencies lists. A look-up
// costs what there is to find, not what there is. Pure; thread: one at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/controllers/dependencies/attach.hpp"

namespace flotilla::controllers {

class Referrers {
 public:
  // What `binding` depends on now; the empty list forgets it.
  void set(const api::ObjectKey& binding, std::vector<Dependency> dependencies);
  // Whether anybody depends on objects of this kind.
  bool know_kind(const std::string& api_version, const std::string& kind) const;
  // Bindings that depend on the object by its name, or by either set of labels (the earlier one, where it is
  // given).
  std::set<api::ObjectKey> of(const std::string& api_version, const std::string& kind,
                              const api::ObjectKey& object, const api::Labels& labels,
                              const api::Labels* earlier) const;

 private:
  struct Kind {
    std::map<api::ObjectKey, std::set<api::ObjectKey>> named;  // object -> bindings
    // Namespace -> (binding, labels).
    std::map<std::string, std::vector<std::pair<api::ObjectKey, Dependency>>> selected;
  };
  using KindName = std::pair<std::string, std::string>;
  void forget(const api::ObjectKey& binding, const Dependency& dependency);

  std::map<KindName, Kind> kinds_;
  std::map<api::ObjectKey, std::vector<Dependency>> known_;
};

}  // namespace flotilla::controllers
