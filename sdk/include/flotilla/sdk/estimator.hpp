// SPDX-License-Identifier: Apache-2.0
// Estimators in C++: room that takes I/O to find out about.
//
//   class Warehouse {
//    public:
//     static constexpr flotilla::sdk::EstimatorInfo kInfo = {.name = "warehouse", .summary = "Asks the
//     warehouse"}; Warehouse(const flt_host_t* host, std::string_view config_json);   // no I/O; throws
//     Failure void max_available_replicas(const flotilla::sdk::RoomRequest& request, flotilla::sdk::Call&
//     call); void max_available_component_sets(const RoomRequest& request, Call& call);                   //
//     optional void unschedulable_replicas(const flotilla::sdk::UnschedulableRequest& request, Call& call);
//     // optional void start(Call& call); void stop(std::int64_t deadline_ns, Call& call); // optional
//   };
//   FLT_PLUGIN((flotilla::sdk::PluginInfo{...}), &flotilla::sdk::estimator_component<Warehouse>)
//
// An operation answers with succeed_with_estimates, now or later, from any thread (then the call is moved
// away). What it throws before completes the call as an error.
#pragma once

#include <flotilla/abi/estimator.h>
#include <flotilla/sdk/plugin.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct EstimatorInfo {
  const char* name;
  const char* summary;
  const char* config_schema = nullptr;
  std::uint32_t exec = FLT_EXEC_ASYNC;
};

// Views of a request: they die when the operation returns.
class RoomRequest {
 public:
  explicit RoomRequest(const flt_room_request_t& raw) : raw_(raw) {}
  std::size_t size() const { return static_cast<std::size_t>(raw_.n_clusters); }
  std::string_view cluster(std::size_t i) const { return view(raw_.clusters[i]); }
  std::string_view ns() const { return view(raw_.ns); }
  std::string_view object() const { return view(raw_.object); }
  std::string_view requirements_json() const { return view(raw_.requirements_json); }
  std::string_view components_json() const { return view(raw_.components_json); }
  // Empty: nothing is promised there.
  std::string_view assumed_json(std::size_t i) const {
    return FLT_HAS(&raw_, assumed_json) ? view(raw_.assumed_json[i]) : std::string_view();
  }

 private:
  const flt_room_request_t& raw_;
};

class UnschedulableRequest {
 public:
  explicit UnschedulableRequest(const flt_unschedulable_request_t& raw) : raw_(raw) {}
  std::size_t size() const { return static_cast<std::size_t>(raw_.n_clusters); }
  std::string_view cluster(std::size_t i) const { return view(raw_.clusters[i]); }
  std::string_view api_version() const { return view(raw_.api_version); }
  std::string_view kind() const { return view(raw_.kind); }
  std::string_view ns() const { return view(raw_.ns); }
  std::string_view name() const { return view(raw_.name); }
  std::int64_t threshold_ns() const { return raw_.threshold_ns; }

 private:
  const flt_unschedulable_request_t& raw_;
};

// What is said of one cluster.
struct Estimate {
  std::int64_t value = FLT_ESTIMATE_UNKNOWN;
  flt_status_t status = FLT_OK;
  std::string message = {};
};

// One per cluster, in the order of the request.
inline void succeed_with_estimates(Call& call, std::span<const Estimate> estimates) {
  const Arena arena = call.arena();
  auto& result = arena.make<flt_estimates_t>();
  const auto list = arena.array<flt_estimate_t>(estimates.size());
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    list[i] = {estimates[i].value, estimates[i].status, 0, arena.copy(estimates[i].message)};
  }
  result = {sizeof result, 0, list.data(), list.size()};
  call.succeed(&result);
}

template <typename Estimator>
struct EstimatorTrampolines {
  struct Instance {
    const flt_host_t* host;
    Estimator estimator;
    Instance(const flt_host_t* used, std::string_view config) : host(used), estimator(used, config) {}
  };
  static Instance& of(void* self) { return *static_cast<Instance*>(self); }

  static flt_status_t create(const flt_host_t* host, const flt_create_args_t* args, void** self,
                             flt_error_t* err) noexcept {
    return guarded(host, err, [&] { *self = new Instance(host, view(args->config_json)); });
  }
  static void destroy(void* self) noexcept { delete static_cast<Instance*>(self); }

  // `work(estimator, call)`; what it throws completes the call, if it still is there.
  template <typename Work>
  static void run(void* self, flt_call_t* raw, Work work) noexcept {
    Instance& instance = of(self);
    Call call(instance.host, raw);
    call.run([&](Call& owned) { work(instance.estimator, owned); });
  }

  static void start(void* self, flt_call_t* call) noexcept {
    run(self, call, [](Estimator& estimator, Call& owned) {
      if constexpr (requires { estimator.start(owned); }) {
        estimator.start(owned);
      } else {
        owned.succeed(nullptr);
      }
    });
  }
  static void stop(void* self, std::int64_t deadline_ns, flt_call_t* call) noexcept {
    run(self, call, [&](Estimator& estimator, Call& owned) {
      if constexpr (requires { estimator.stop(deadline_ns, owned); }) {
        estimator.stop(deadline_ns, owned);
      } else {
        owned.succeed(nullptr);
      }
    });
  }
  static void replicas(void* self, const flt_room_request_t* request, flt_call_t* call) noexcept {
    run(self, call, [&](Estimator& estimator, Call& owned) {
      estimator.max_available_replicas(RoomRequest(*request), owned);
    });
  }
  static void sets(void* self, const flt_room_request_t* request, flt_call_t* call) noexcept {
    run(self, call, [&](Estimator& estimator, Call& owned) {
      estimator.max_available_component_sets(RoomRequest(*request), owned);
    });
  }
  static void unschedulable(void* self, const flt_unschedulable_request_t* request,
                            flt_call_t* call) noexcept {
    run(self, call, [&](Estimator& estimator, Call& owned) {
      estimator.unschedulable_replicas(UnschedulableRequest(*request), owned);
    });
  }

  // A method the class does not have is null.
  static constexpr flt_estimator_ops_t ops() {
    flt_estimator_ops_t table{};
    table.struct_size = sizeof table;
    table.max_available_replicas = replicas;
    if constexpr (requires(Estimator& e, const RoomRequest& r, Call& c) {
                    e.max_available_component_sets(r, c);
                  }) {
      table.max_available_component_sets = sets;
    }
    if constexpr (requires(Estimator& e, const UnschedulableRequest& r, Call& c) {
                    e.unschedulable_replicas(r, c);
                  }) {
      table.unschedulable_replicas = unschedulable;
    }
    return table;
  }
};

template <typename Estimator>
inline constexpr flt_estimator_ops_t estimator_ops = EstimatorTrampolines<Estimator>::ops();

template <typename Estimator>
inline constexpr flt_component_t estimator_component = {
    .struct_size = sizeof(flt_component_t),
    .exec = Estimator::kInfo.exec,
    .caps = 0,
    .kind = FLT_KIND_ESTIMATOR,
    .name = Estimator::kInfo.name,
    .summary = Estimator::kInfo.summary,
    .config_schema = Estimator::kInfo.config_schema,
    .ops = &estimator_ops<Estimator>,
    .create = EstimatorTrampolines<Estimator>::create,
    .destroy = EstimatorTrampolines<Estimator>::destroy,
    .start = EstimatorTrampolines<Estimator>::start,
    .reconfigure = nullptr,
    .health = nullptr,
    .stop = EstimatorTrampolines<Estimator>::stop,
    .query = nullptr,
};

}  // namespace sdk_1
}  // namespace flotilla::sdk
