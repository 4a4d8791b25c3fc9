// SPDX-License-Identifier: Apache-2.0
// How many replicas a cluster can take, by what its status says about its nodes: the resource summary, and
// the resource model where it has one.
#include <flotilla/sdk/scheduler.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

namespace sdk = flotilla::sdk;

constexpr std::int64_t kPodsPerNode = 110;
constexpr std::int64_t kMostNodes = 100'000;  // of one grade, where sets are packed one by one
constexpr std::uint32_t kNoResource = 0xffffffffu;

// available / request for values below 2^52 without an integer division: the estimate is off by one at most.
std::int64_t quotient(std::int64_t available, std::int64_t request, double inverse) {
  constexpr std::int64_t kExact = std::int64_t{1} << 52;
  if (available >= kExact || request >= kExact) return available / request;
  const auto estimate = static_cast<std::int64_t>(static_cast<double>(available) * inverse);
  const std::int64_t rest = available - estimate * request;
  return estimate + (rest >= request ? 1 : 0) - (rest < 0 ? 1 : 0);
}

// The grade's nodes: how many, and what each has at least, by resource.
struct Grade {
  std::int64_t count = 0;
  std::vector<std::int64_t> least;
  std::int64_t pods = kPodsPerNode;  // places left on each
};

// How many replicas the nodes of a model take: every node of a grade has the least the grade promises.
std::int64_t fit_on_nodes(std::span<const Grade> grades, sdk::Workload workload, std::uint32_t pods) {
  if ((workload.flags & FLT_WORKLOAD_UNKNOWN_REQUEST) != 0) return 0;
  std::int64_t sum = 0;
  for (const Grade& grade : grades) {
    std::int64_t per_node = grade.pods;
    for (std::uint32_t resource = 0; resource < workload.n_requests; ++resource) {
      const std::int64_t request = workload.requests[resource];
      if (request <= 0) continue;
      const std::int64_t has = resource == pods                ? grade.pods
                               : resource < grade.least.size() ? grade.least[resource]
                                                               : 0;
      per_node = std::min(per_node, has / request);
    }
    sum += grade.count * per_node;
  }
  return sum;
}

// Puts sets of components on nodes, one replica after the other, each on the first node that has room.
class Packing {
 public:
  Packing(std::span<const Grade> grades, std::size_t resources) : resources_(resources) {
    for (const Grade& grade : grades) {
      std::vector<std::int64_t> node = grade.least;
      node.resize(resources, 0);
      for (std::int64_t i = 0; i < std::min(grade.count, kMostNodes); ++i) {
        left_.insert(left_.end(), node.begin(), node.end());
        pods_.push_back(grade.pods);
      }
    }
  }
  bool place(const flt_pod_set_t& component) {
    if ((component.flags & FLT_WORKLOAD_UNKNOWN_REQUEST) != 0) return false;
    for (std::size_t node = 0; node < pods_.size(); ++node) {
      std::int64_t* left = left_.data() + node * resources_;
      bool fits = pods_[node] > 0;
      for (std::size_t r = 0; fits && r < resources_; ++r) fits = left[r] >= component.requests[r];
      if (!fits) continue;
      for (std::size_t r = 0; r < resources_; ++r) left[r] -= component.requests[r];
      --pods_[node];
      return true;
    }
    return false;
  }
  bool place_set(std::span<const flt_pod_set_t> components) {
    for (const flt_pod_set_t& component : components) {
      for (std::int32_t replica = 0; replica < component.replicas; ++replica) {
        if (!place(component)) return false;
      }
    }
    return true;
  }

 private:
  std::size_t resources_;
  std::vector<std::int64_t> left_;
  std::vector<std::int64_t> pods_;
};

class GeneralEstimator {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "general_estimator",
                                               .summary = "Room by the resource summary of each cluster"};
  static constexpr bool kBounded = true;

  void bind(sdk::Binder binder) {
    flags_ = binder.require("flags");
    resources_ = binder.require("dict.resources");
    pods_ = binder.require("res.available.pods");
  }

  void table_changed(sdk::Binder binder, sdk::Table table) {
    const auto names = table.column<std::uint32_t>(resources_);
    pods_resource_ = kNoResource;
    available_.clear();
    for (std::uint32_t i = 0; i < names.size(); ++i) {
      const std::string name(table.text(names[i]));
      if (name == "pods") pods_resource_ = i;
      available_.push_back(binder.column("res.available." + name));
    }
    models_.assign(table.rows(), {});
    for (std::uint32_t row = 0; row < table.rows(); ++row) {
      for (std::uint32_t i = 0; const auto grade = table.grade(row, i); ++i) {
        Grade& own = models_[row].emplace_back();
        own.count = std::clamp<std::int64_t>(grade->count, 0, INT32_MAX);
        own.pods = std::clamp<std::int64_t>(kPodsPerNode - grade->pods_taken, 0, kPodsPerNode);
        own.least.resize(names.size());
        for (std::uint64_t a = 0; a < grade->n_least; ++a) {
          if (grade->least[a].resource < own.least.size()) {
            own.least[grade->least[a].resource] = grade->least[a].amount;
          }
        }
      }
    }
  }

  void estimate(sdk::Workload workload, sdk::Table table, sdk::Estimates estimates) const {
    count_pods(table, estimates);
    if ((workload.flags & FLT_WORKLOAD_WHOLE_SETS) != 0) {
      estimate_sets(workload, table, estimates);
    } else if ((workload.flags & FLT_WORKLOAD_REQUIREMENTS) != 0) {
      bound_by_models(workload, estimates);
      bound_by_summary(workload, table, estimates);
    }
  }

 private:
  void count_pods(sdk::Table table, const sdk::Estimates& estimates) const {
    const auto flags = table.column<std::uint32_t>(flags_);
    const auto pods = table.column<std::int64_t>(pods_);
    estimates.for_each([&](std::uint32_t row) {
      const bool known = !pods.empty() && (flags[row] & FLT_CLUSTER_RESOURCES) != 0;
      estimates.set(row, known ? std::clamp<std::int64_t>(pods[row], 0, INT32_MAX) : 0);
    });
  }

  void bound_by_models(sdk::Workload workload, const sdk::Estimates& estimates) const {
    const bool unknown = (workload.flags & FLT_WORKLOAD_UNKNOWN_REQUEST) != 0;
    estimates.for_each([&](std::uint32_t row) {
      if (estimates.get(row) == 0) return;
      if (!models_[row].empty()) {
        const std::int64_t fit = fit_on_nodes(models_[row], workload, pods_resource_);
        estimates.set(row, std::clamp<std::int64_t>(fit, 0, estimates.get(row)));
      } else if (unknown) {
        estimates.set(row, 0);
      }
    });
  }

  void bound_by_summary(sdk::Workload workload, sdk::Table table, const sdk::Estimates& estimates) const {
    for (std::uint32_t resource = 0; resource < workload.n_requests; ++resource) {
      const std::int64_t request = workload.requests[resource];
      if (request <= 0) continue;
      const double inverse = 1.0 / static_cast<double>(request);
      const auto available = table.column<std::int64_t>(available_[resource]);
      estimates.for_each([&](std::uint32_t row) {
        const std::int64_t so_far = estimates.get(row);
        if (so_far == 0 || !models_[row].empty()) return;
        const std::int64_t left = available.empty() ? 0 : std::max<std::int64_t>(available[row], 0);
        estimates.set(row, std::min(so_far, quotient(left, request, inverse)));
      });
    }
  }

  // Whole sets of components: by pods and by what a set requests in all, then by packing.
  void estimate_sets(sdk::Workload workload, sdk::Table table, const sdk::Estimates& estimates) const {
    const std::span components(workload.components, static_cast<std::size_t>(workload.n_components));
    std::int64_t pods_per_set = 0;
    bool unknown = false;
    for (const flt_pod_set_t& component : components) {
      pods_per_set += component.replicas;
      unknown |= (component.flags & FLT_WORKLOAD_UNKNOWN_REQUEST) != 0;
    }
    estimates.for_each([&](std::uint32_t row) {
      const std::int64_t pods = estimates.get(row);
      std::int64_t bound = pods_per_set > 0 ? pods / pods_per_set : (pods > 0 ? INT32_MAX : 0);
      if (unknown) bound = 0;
      for (std::uint32_t r = 0; r < workload.n_requests && workload.set_requests != nullptr; ++r) {
        if (workload.set_requests[r] <= 0) continue;
        const auto available = table.column<std::int64_t>(available_[r]);
        const std::int64_t left = available.empty() ? 0 : std::max<std::int64_t>(available[row], 0);
        bound = std::min(bound, left / workload.set_requests[r]);
      }
      if (bound > 0 && pods_per_set > 0 && !models_[row].empty()) {
        Packing packing(models_[row], static_cast<std::size_t>(workload.n_requests));
        std::int64_t sets = 0;
        while (sets < bound && packing.place_set(components)) ++sets;
        bound = sets;
      }
      estimates.set(row, std::min<std::int64_t>(bound, INT32_MAX));
    });
  }

  std::int32_t flags_ = -1;
  std::int32_t resources_ = -1;
  std::int32_t pods_ = -1;
  std::uint32_t pods_resource_ = kNoResource;
  std::vector<std::int32_t> available_;     // columns, by resource
  std::vector<std::vector<Grade>> models_;  // by row
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.general_estimator",
                                      .version = "0.1.0",
                                      .name = "General estimator"}),
           &flotilla::sdk::scheduler_component<GeneralEstimator>)
