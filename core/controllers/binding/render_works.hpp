// SPDX-License-Identifier: Apache-2.0
// From a scheduled binding and its template to one Work per cluster. Pure.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/overrides/apply.hpp"

namespace flotilla::controllers {

struct RenderInput {
  const api::Json& binding;  // ResourceBinding or ClusterResourceBinding
  const api::Json& template_;
  // A Cluster by name; null when there is none.
  std::function<const api::Json*(std::string_view)> cluster;
  overrides::Policies cluster_override_policies;
  overrides::Policies override_policies;
  const interpreter::Interpreter& interpreter;
  // Gate StatefulFailoverInjection: the one target that a workload failed over to gets its preserved labels.
  bool inject_preserved_state = false;
  // Told of every overrider that was applied to a cluster's manifest; may be empty.
  std::function<void(const std::string& cluster, const overrides::AppliedStep&)> witness = {};
};

struct RenderedWork {
  std::string cluster;
  api::Json work;  // {apiVersion, kind, metadata, spec}
};

struct RenderFailure {
  std::string cluster;
  Error error;
  bool by_override = false;  // an override policy is to blame
};

struct Rendered {
  std::vector<RenderedWork> works;
  std::vector<RenderFailure> failures;  // these clusters keep what they have
  std::set<std::string> overridden_by;  // "override policy(default/a)", "cluster override policy(b)"
};

Rendered render_works(const RenderInput& input);

}  // namespace flotilla::controllers
