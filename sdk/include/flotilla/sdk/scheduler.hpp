// SPDX-License-Identifier: Apache-2.0
// Scheduling policies in C++. A policy is a class; of the methods below it has those it wants:
//
//   class NoEdge {
//    public:
//     static constexpr flotilla::sdk::SchedulerInfo kInfo = {.name = "no_edge", .summary = "Keeps off the
//     edge"}; void bind(Binder binder) { region_ = binder.require("region"); why_ = binder.reason("is at the
//     edge"); } void table_changed(Binder, Table table) { edge_ = table.find_sym("edge"); } void
//     filter(Workload, Table table, Fits fits) const {
//       auto regions = table.column<std::uint32_t>(region_);
//       fits.refuse_if([&](std::uint32_t row) { return regions[row] == edge_; }, why_);
//     }
//   };
//   FLT_PLUGIN((flotilla::sdk::PluginInfo{...}), &flotilla::sdk::scheduler_component<NoEdge>)
//
// Others: explicit NoEdge(std::string_view config_json); void prepare(Workload, Table, Preparation) const;
// void score(Workload, Table, Scores) const; void estimate(Workload, Table, Estimates) const;
// void select(Workload, Table, Candidates, Chosen) const; void assign(Workload, Table, Candidates, Targets)
// const; void observe(Workload, Table, std::uint32_t outcome, std::span<const flt_target_t>) const.
// The class may throw Failure. One that selects or assigns only where nobody else does says so:
// static constexpr bool kFallback = true. One whose filter looks at nothing of a workload but its placement
// says kFiltersByPlacement = true, and is asked less often (FLT_SCHEDULER_FILTERS_BY_PLACEMENT). One whose
// calls all end soon, whatever they are asked, may promise it with kBounded = true: it is then called without
// a change of threads (FLT_SCHEDULER_BOUNDED).
#pragma once

#include <flotilla/abi/scheduler.h>
#include <flotilla/sdk/plugin.hpp>
#include <flotilla/sdk/table.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct SchedulerInfo {
  const char* name;
  const char* summary;
  const char* config_schema = nullptr;
};

template <typename Policy>
struct SchedulerTrampolines {
  struct Instance {
    const flt_host_t* host;
    Policy policy;
  };
  static Instance& at(void* self) { return *static_cast<Instance*>(self); }

  static flt_status_t create(const flt_host_t* host, const flt_create_args_t* args, void** self,
                             flt_error_t* err) noexcept {
    return guarded(host, err, [&] {
      if constexpr (std::is_constructible_v<Policy, std::string_view>) {
        *self = new Instance{host, Policy(view(args->config_json))};
      } else {
        *self = new Instance{host, Policy()};
      }
    });
  }
  static void destroy(void* self) noexcept { delete static_cast<Instance*>(self); }
  static flt_status_t bind(void* self, const flt_binder_t* binder, flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] { at(self).policy.bind(Binder(binder)); });
  }
  static flt_status_t table_changed(void* self, const flt_binder_t* binder, const flt_table_t* table,
                                    const std::uint64_t*, flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] { at(self).policy.table_changed(Binder(binder), Table(table)); });
  }
  static flt_status_t filter(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                             flt_rows_t rows, std::uint64_t* fits, std::uint16_t* reasons,
                             flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] {
      std::as_const(at(self).policy).filter(*workload, Table(cycle->table), Fits(rows, fits, reasons));
    });
  }
  static flt_status_t score(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                            flt_rows_t rows, const std::uint64_t* fits, std::int32_t* scores,
                            flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] {
      std::as_const(at(self).policy).score(*workload, Table(cycle->table), Scores(rows, fits, scores));
    });
  }
  static flt_status_t estimate(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                               flt_rows_t rows, const std::uint64_t* fits, std::int64_t* replicas,
                               flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] {
      std::as_const(at(self).policy)
          .estimate(*workload, Table(cycle->table), Estimates(rows, fits, replicas));
    });
  }

  static flt_status_t prepare(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                              std::uint64_t* rows, std::uint32_t* skip, flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] {
      std::as_const(at(self).policy).prepare(*workload, Table(cycle->table), Preparation(rows, skip));
    });
  }
  static flt_status_t select(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                             const flt_candidate_t* candidates, std::uint64_t n, std::uint32_t* chosen,
                             std::uint64_t* n_chosen, flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] {
      *n_chosen = 0;
      std::as_const(at(self).policy)
          .select(*workload, Table(cycle->table), Candidates(candidates, static_cast<std::size_t>(n)),
                  Chosen(chosen, n_chosen, n));
    });
  }
  static flt_status_t assign(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                             const flt_candidate_t* chosen, std::uint64_t n, flt_target_t* targets,
                             std::uint64_t* n_targets, flt_error_t* err) noexcept {
    return guarded(at(self).host, err, [&] {
      *n_targets = 0;
      std::as_const(at(self).policy)
          .assign(*workload, Table(cycle->table), Candidates(chosen, static_cast<std::size_t>(n)),
                  Targets(targets, n_targets, n));
    });
  }
  static void observe(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                      std::uint32_t outcome, const flt_target_t* targets, std::uint64_t n) noexcept {
    guarded(at(self).host, nullptr, [&] {
      at(self).policy.observe(*workload, Table(cycle->table), outcome,
                              std::span(targets, static_cast<std::size_t>(n)));
    });
  }

  // The table of operations: a method the class does not have is null.
  static constexpr flt_scheduler_ops_t ops() {
    flt_scheduler_ops_t table{};
    table.struct_size = sizeof table;
    if constexpr (requires(Policy& p, Binder b) { p.bind(b); }) table.bind = bind;
    if constexpr (requires(Policy& p, Binder b, Table t) { p.table_changed(b, t); }) {
      table.table_changed = table_changed;
    }
    if constexpr (requires(const Policy& p, Workload w, Table t, Fits f) { p.filter(w, t, f); }) {
      table.filter = filter;
    }
    if constexpr (requires(const Policy& p, Workload w, Table t, Scores s) { p.score(w, t, s); }) {
      table.score = score;
    }
    if constexpr (requires(const Policy& p, Workload w, Table t, Estimates e) { p.estimate(w, t, e); }) {
      table.estimate = estimate;
    }
    if constexpr (requires(const Policy& p, Workload w, Table t, Preparation s) { p.prepare(w, t, s); }) {
      table.prepare = prepare;
    }
    if constexpr (requires(const Policy& p, Workload w, Table t, Candidates c, Chosen o) {
                    p.select(w, t, c, o);
                  }) {
      table.select = select;
    }
    if constexpr (requires(const Policy& p, Workload w, Table t, Candidates c, Targets o) {
                    p.assign(w, t, c, o);
                  }) {
      table.assign = assign;
    }
    if constexpr (requires(Policy& p, Workload w, Table t, std::span<const flt_target_t> o) {
                    p.observe(w, t, 0u, o);
                  }) {
      table.observe = observe;
    }
    return table;
  }
  static constexpr std::uint64_t caps() {
    std::uint64_t caps = 0;
    if constexpr (requires { Policy::kFallback; }) caps |= Policy::kFallback ? FLT_SCHEDULER_FALLBACK : 0;
    if constexpr (requires { Policy::kFiltersByPlacement; })
      caps |= Policy::kFiltersByPlacement ? FLT_SCHEDULER_FILTERS_BY_PLACEMENT : 0;
    if constexpr (requires { Policy::kBounded; }) caps |= Policy::kBounded ? FLT_SCHEDULER_BOUNDED : 0;
    return caps;
  }
};

template <typename Policy>
inline constexpr flt_scheduler_ops_t scheduler_ops = SchedulerTrampolines<Policy>::ops();

template <typename Policy>
inline constexpr flt_component_t scheduler_component = {sizeof(flt_component_t),
                                                        FLT_EXEC_COMPUTE,
                                                        SchedulerTrampolines<Policy>::caps(),
                                                        FLT_KIND_SCHEDULER,
                                                        Policy::kInfo.name,
                                                        Policy::kInfo.summary,
                                                        Policy::kInfo.config_schema,
                                                        &scheduler_ops<Policy>,
                                                        SchedulerTrampolines<Policy>::create,
                                                        SchedulerTrampolines<Policy>::destroy,
                                                        nullptr,
                                                        nullptr,
                                                        nullptr,
                                                        nullptr,
                                                        nullptr};

}  // namespace sdk_1
}  // namespace flotilla::sdk
