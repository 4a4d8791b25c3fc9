// SPDX-License-Identifier: Apache-2.0
// How many replicas the ResourceQuotas of a member leave room for, where they are known here: what Karmada's
// ResourceQuotaEstimator answers from beside the member (gate ResourceQuotaEstimate).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/resource_list.hpp"
#include "core/scheduler/binding.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::scheduler {

// What one replica, or one component of a set, takes of quotas.
struct QuotaDemand {
  std::string priority_class;
  std::vector<Request> requests;
  std::int64_t replicas = 1;
};

// What is free of the quotas of one cluster. Immutable.
class ClusterQuotas {
 public:
  // ResourceQuotas with spec.scopes, spec.scopeSelector and status. Of what they bound, cpu, memory and
  // extended resources count, under their plain names or as requests.*; limits do not, as nobody says how
  // much a replica is limited to.
  static std::shared_ptr<const ClusterQuotas> make(std::span<const api::Json> quotas);

  // Further sets of these demands: the least that any quota of the namespace allows, which applies to a
  // demand if it has no scopes or one of its scopes is the demand's priority class. Nullopt: nothing bounds
  // it.
  std::optional<std::int64_t> room_for(std::string_view ns, std::span<const QuotaDemand> set) const;

 private:
  struct Scope {
    bool by_priority_class = false;  // scopes of other kinds never match
    std::string op;
    std::vector<std::string> values;
    bool holds(std::string_view priority_class) const;
  };
  struct Quota {
    std::vector<Scope> scopes;
    api::ResourceList free;
    bool applies_to(std::string_view priority_class) const;
  };
  static std::optional<std::int64_t> room_in(const Quota& quota, std::span<const QuotaDemand> set);

  std::map<std::string, std::vector<Quota>, std::less<>> by_namespace_;
};

// The estimator over all clusters; `source` as that of NodeEstimator.
class QuotaEstimator final : public Policy {
 public:
  using Source = std::function<std::shared_ptr<const ClusterQuotas>(const std::string& cluster)>;
  explicit QuotaEstimator(Source source) : source_(std::move(source)) {}

  std::string_view name() const override { return "quota_estimator"; }
  std::uint32_t steps() const override { return kEstimateStep; }
  Status observe(const ClusterTable& table, Reasons&) override;
  void refresh(const ClusterTable& table) override;
  Status estimate(const Workload& workload, RowRange rows, std::span<const std::uint64_t> fits,
                  std::span<std::int64_t> replicas) const override;

 private:
  Source source_;
  std::vector<std::shared_ptr<const ClusterQuotas>> by_row_;
};

}  // namespace flotilla::scheduler
