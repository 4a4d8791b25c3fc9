// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/in_tree_policies.hpp"

#include <flotilla/abi/entry.h>

#include "core/base/clock.hpp"
#include "core/plugin/scheduler_adapter.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_api_enablement;
extern const flt_plugin_v1_t flt_plugin_cluster_affinity;
extern const flt_plugin_v1_t flt_plugin_cluster_eviction;
extern const flt_plugin_v1_t flt_plugin_cluster_locality;
extern const flt_plugin_v1_t flt_plugin_spread_constraint;
extern const flt_plugin_v1_t flt_plugin_taint_toleration;
extern const flt_plugin_v1_t flt_plugin_general_estimator;
extern const flt_plugin_v1_t flt_plugin_group_selection;
extern const flt_plugin_v1_t flt_plugin_replica_division;
extern const flt_plugin_v1_t flt_plugin_workload_affinity;
extern const flt_plugin_v1_t flt_plugin_workload_anti_affinity;
}

namespace flotilla::fakes {

struct InTreePolicies::Host {
  SystemClock clock;
  Executor executor{clock, {.io_threads = 1, .blocking_threads = 1}};
  plugin::HostEnvironment environment{executor, "flotilla test"};
};

InTreePolicies::InTreePolicies() : host_(std::make_unique<Host>()) {
  for (const flt_plugin_v1_t* each :
       {&flt_plugin_api_enablement, &flt_plugin_cluster_affinity, &flt_plugin_cluster_eviction,
        &flt_plugin_spread_constraint, &flt_plugin_taint_toleration, &flt_plugin_cluster_locality,
        &flt_plugin_workload_affinity, &flt_plugin_workload_anti_affinity, &flt_plugin_general_estimator,
        &flt_plugin_group_selection, &flt_plugin_replica_division}) {
    for (std::uint64_t i = 0; i < each->n_components; ++i) {
      auto instance = plugin::Instance::create(host_->environment, *each->components[i], {});
      ASSERT(instance.ok());
      auto policy = plugin::make_scheduler_policy(std::move(*instance));
      ASSERT(policy.ok());
      policies_.add(std::move(*policy));
    }
  }
}

InTreePolicies::~InTreePolicies() {
  policies_ = scheduler::Policies();
  host_->executor.stop();
}

}  // namespace flotilla::fakes
