// SPDX-License-Identifier: Apache-2.0
// What a scheduling policy looks at and writes into: the cluster table, a workload, and the rows, scores and
// choices of one call.
#pragma once

#include <flotilla/abi/scheduler.h>

#include <bit>
#include <cstdint>
#include <flotilla/sdk/plugin.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flotilla::sdk {
inline namespace sdk_1 {

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

// The value of a row's label, FLT_SYM_EMPTY without it or where it is empty.
inline std::uint32_t label_value(const ListColumn<flt_label_t>& labels, std::uint32_t row,
                                 std::uint32_t key) {
  if (!labels.any()) return FLT_SYM_EMPTY;
  for (const flt_label_t& label : labels[row])
    if (label.key == key) return label.value;
  return FLT_SYM_EMPTY;
}

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
  // Grade `index` of a row's resource model; nothing behind the last.
  std::optional<flt_grade_t> grade(std::uint32_t row, std::uint32_t index) const {
    flt_grade_t out{};
    out.struct_size = sizeof out;
    if (!FLT_HAS(table_->functions, grade)) return std::nullopt;
    if (table_->functions->grade(table_, row, index, &out) != FLT_OK) return std::nullopt;
    return out;
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
  std::int64_t get(std::uint32_t row) const { return replicas_[row]; }

 private:
  std::int64_t* replicas_;
};

// In prepare(): which steps are not for this workload, and which clusters cannot be.
class Preparation {
 public:
  Preparation(std::uint64_t* rows, std::uint32_t* skip) : rows_(rows), skip_(skip) {}
  void skip(std::uint32_t steps) const { *skip_ |= steps; }  // FLT_SKIP_*
  void any_order() const { *skip_ |= FLT_ANY_ORDER; }
  void leave_out(std::uint32_t row) const { rows_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }

 private:
  std::uint64_t* rows_;
  std::uint32_t* skip_;
};

using Candidates = std::span<const flt_candidate_t>;

// In select(): the rows chosen, best first.
class Chosen {
 public:
  Chosen(std::uint32_t* rows, std::uint64_t* count, std::uint64_t room)
      : rows_(rows), count_(count), room_(room) {}
  void add(std::uint32_t row) const {
    if (*count_ == room_) throw Failure(FLT_INTERNAL, "chose more clusters than there are candidates");
    rows_[(*count_)++] = row;
  }

 private:
  std::uint32_t* rows_;
  std::uint64_t* count_;
  std::uint64_t room_;
};

// In assign(): who gets how many.
class Targets {
 public:
  Targets(flt_target_t* targets, std::uint64_t* count, std::uint64_t room)
      : targets_(targets), count_(count), room_(room) {}
  void add(std::uint32_t row, std::int32_t replicas) const {
    if (*count_ == room_) throw Failure(FLT_INTERNAL, "assigned to more clusters than were chosen");
    targets_[(*count_)++] = {row, replicas};
  }

 private:
  flt_target_t* targets_;
  std::uint64_t* count_;
  std::uint64_t room_;
};

// What a policy that selects or assigns throws: the constraints cannot be met; there is not enough room.
inline Failure cannot_be_met(std::string message) {
  return Failure(FLT_FAILED_PRECONDITION, std::move(message));
}
inline Failure not_enough_room(std::string message) {
  return Failure(FLT_RESOURCE_EXHAUSTED, std::move(message));
}

}  // namespace sdk_1
}  // namespace flotilla::sdk
