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
// Others: explicit NoEdge(std::string_view config_json); void score(Workload, Table, Scores) const;
// void estimate(Workload, Table, Estimates) const. The class may throw Failure.
#pragma once

#include <flotilla/abi/scheduler.h>
#include <flotilla/sdk/plugin.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct SchedulerInfo {
  const char* name;
  const char* summary;
  const char* config_schema = nullptr;
};

inline bool has_bit(const std::uint64_t* set, std::uint32_t row) {
  return (set[row / 64] >> (row % 64) & 1) != 0;
}

// One list per row.
template <typename T>
struct ListColumn {
  std::span<const T> items;
  const std::uint32_t* offsets = nullptr;
  std::span<const T> operator[](std::uint32_t row) const {
    return items.subspan(offsets[row], offsets[row + 1] - offsets[row]);
  }
  // False where no row in the whole table has anything.
  bool any() const { return !items.empty(); }
};

class Table {
 public:
  explicit Table(const flt_table_t* table) : table_(table) {}

  std::uint32_t rows() const { return static_cast<std::uint32_t>(table_->n_rows); }
  std::uint64_t words() const { return table_->n_words; }
  // Empty where the table has no such data.
  template <typename T>
  std::span<const T> column(std::int32_t id) const {
    const flt_column_t view = raw_column(id);
    return {static_cast<const T*>(view.data), static_cast<std::size_t>(view.n)};
  }
  template <typename T>
  ListColumn<T> list(std::int32_t id) const {
    const flt_column_t view = raw_column(id);
    return {{static_cast<const T*>(view.data), static_cast<std::size_t>(view.n)}, view.offsets};
  }
  // Line `line` of a column of sets, or null.
  const std::uint64_t* bits(std::int32_t id, std::uint32_t line) const {
    const flt_column_t view = raw_column(id);
    if (line >= view.n) return nullptr;
    return static_cast<const std::uint64_t*>(view.data) + line * table_->n_words;
  }
  std::string_view text(std::uint32_t sym) const { return view(table_->functions->text(table_, sym)); }
  std::uint32_t find_sym(std::string_view text) const {
    return table_->functions->find_sym(table_, str(text));
  }
  std::uint32_t find_row(std::string_view name) const {
    return table_->functions->find_row(table_, str(name));
  }
  const flt_table_t& raw() const { return *table_; }

 private:
  flt_column_t raw_column(std::int32_t id) const {
    flt_column_t view{};
    view.struct_size = sizeof view;
    if (id < 0 || table_->functions->column(table_, id, &view) != FLT_OK) return {};
    return view;
  }
  const flt_table_t* table_;
};

class Binder {
 public:
  explicit Binder(const flt_binder_t* binder) : binder_(binder) {}
  // -1 where the host has no such column.
  std::int32_t column(std::string_view name) const { return binder_->column(binder_, str(name)); }
  // Makes the policy unavailable where the host has no such column.
  std::int32_t require(std::string_view name) const {
    const std::int32_t id = column(name);
    if (id < 0)
      throw Failure(FLT_FAILED_PRECONDITION, "the cluster table has no column " + std::string(name));
    return id;
  }
  std::uint16_t reason(std::string_view text) const { return binder_->reason(binder_, str(text)); }

 private:
  const flt_binder_t* binder_;
};

using Workload = const flt_workload_t&;

inline std::span<const flt_toleration_t> tolerations(Workload workload) {
  return {workload.tolerations, static_cast<std::size_t>(workload.n_tolerations)};
}
inline std::span<const flt_target_t> previous(Workload workload) {
  return {workload.previous, static_cast<std::size_t>(workload.n_previous)};
}
inline std::span<const flt_spread_t> spread(Workload workload) {
  return {workload.spread, static_cast<std::size_t>(workload.n_spread)};
}

// The rows of one call that still fit.
class Rows {
 public:
  Rows(flt_rows_t rows, const std::uint64_t* fits) : rows_(rows), fits_(fits) {}
  bool covers(std::uint32_t row) const {
    return row >= rows_.first && row < rows_.last && has_bit(fits_, row);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t word = rows_.first / 64; word * 64 < rows_.last; ++word) {
      for (std::uint64_t left = fits_[word]; left != 0; left &= left - 1) {
        visit(word * 64 + static_cast<std::uint32_t>(std::countr_zero(left)));
      }
    }
  }

 protected:
  flt_rows_t rows_;
  const std::uint64_t* fits_;
};

class Fits : public Rows {
 public:
  Fits(flt_rows_t rows, std::uint64_t* fits, std::uint16_t* reasons)
      : Rows(rows, fits), mutable_fits_(fits), reasons_(reasons) {}

  void refuse(std::uint32_t row, std::uint16_t reason) const {
    mutable_fits_[row / 64] &= ~(std::uint64_t{1} << (row % 64));
    reasons_[row] = reason;
  }
  // refuses(row) for every row that fits so far.
  template <typename Refuses>
  void refuse_if(Refuses refuses, std::uint16_t reason) const {
    for_each([&](std::uint32_t row) {
      if (refuses(row)) refuse(row, reason);
    });
  }
  // Keeps the rows for which keep(word) has a bit, 64 at a time.
  template <typename Keep>
  void keep_words(Keep keep, std::uint16_t reason) const {
    for (std::uint32_t word = rows_.first / 64; word * 64 < rows_.last; ++word) {
      const std::uint64_t refused = mutable_fits_[word] & ~keep(word);
      mutable_fits_[word] &= ~refused;
      for (std::uint64_t left = refused; left != 0; left &= left - 1) {
        reasons_[word * 64 + static_cast<std::uint32_t>(std::countr_zero(left))] = reason;
      }
    }
  }
  void refuse_all(std::uint16_t reason) const {
    keep_words([](std::uint32_t) { return std::uint64_t{0}; }, reason);
  }

 private:
  std::uint64_t* mutable_fits_;
  std::uint16_t* reasons_;
};

class Scores : public Rows {
 public:
  Scores(flt_rows_t rows, const std::uint64_t* fits, std::int32_t* scores)
      : Rows(rows, fits), scores_(scores) {}
  void set(std::uint32_t row, std::int32_t score) const { scores_[row] = score; }

 private:
  std::int32_t* scores_;
};

class Estimates : public Rows {
 public:
  Estimates(flt_rows_t rows, const std::uint64_t* fits, std::int64_t* replicas)
      : Rows(rows, fits), replicas_(replicas) {}
  void set(std::uint32_t row, std::int64_t replicas) const { replicas_[row] = replicas; }

 private:
  std::int64_t* replicas_;
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
    return table;
  }
};

template <typename Policy>
inline constexpr flt_scheduler_ops_t scheduler_ops = SchedulerTrampolines<Policy>::ops();

template <typename Policy>
inline constexpr flt_component_t scheduler_component = {sizeof(flt_component_t),
                                                        FLT_EXEC_COMPUTE,
                                                        0,
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
