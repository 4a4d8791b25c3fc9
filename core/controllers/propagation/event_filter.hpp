// SPDX-License-Identifier: Apache-2.0
// Which objects and which of their changes the detector looks at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// Something changed besides status and bookkeeping (managedFields, resourceVersion).
bool specification_changed(const api::Json& before, const api::Json& after);
// Nothing changed but what Karmada itself writes onto templates: labels and annotations of its own,
// generation.
bool changed_by_karmada(const api::Json& before, const api::Json& after);

// The one ConfigMap that every API server makes for itself.
bool is_servers_own(std::string_view kind, std::string_view ns, std::string_view name);

// API kinds that are never propagated: the control plane's own, events, leases; and what the operator adds.
class SkippedApis {
 public:
  // group | group/version | group/version/Kind[,Kind...] | v1/Kind[,Kind...] for the core group, joined by
  // ";". Errors: Invalid, naming the token.
  static Result<SkippedApis> parse(std::string_view text);

  bool contains(std::string_view group, std::string_view version, std::string_view kind) const;

 private:
  // Empty members stand for any.
  struct Entry {
    std::string group;
    std::string version;
    std::string kind;
  };
  SkippedApis();
  Status add(std::string_view token);

  std::vector<Entry> entries_;
};

}  // namespace flotilla::controllers
