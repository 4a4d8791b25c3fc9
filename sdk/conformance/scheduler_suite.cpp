// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/scheduler_suite.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sdk/conformance/test_host.hpp"
#include "sdk/conformance/test_table.hpp"

namespace flotilla::conformance {
namespace {

constexpr std::uint64_t kCanary = 0xA5A5A5A5A5A5A5A5u;

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

// What a policy is given to write into, with bytes behind it that nobody may touch.
template <typename T>
class Guarded {
 public:
  Guarded(std::size_t size, T value) : size_(size), items_(size + kSpare, value) {
    std::fill(items_.begin() + static_cast<std::ptrdiff_t>(size), items_.end(), static_cast<T>(kCanary));
  }
  T* data() { return items_.data(); }
  T& operator[](std::size_t i) { return items_[i]; }
  std::vector<T> taken(const char* what) const {
    const auto end = items_.begin() + static_cast<std::ptrdiff_t>(size_);
    expect(std::all_of(end, items_.end(), [](T item) { return item == static_cast<T>(kCanary); }),
           std::string(what) + " wrote behind what it was given");
    return {items_.begin(), end};
  }

 private:
  static constexpr std::size_t kSpare = 8;
  std::size_t size_;
  std::vector<T> items_;
};

// All that a policy says about one workload.
struct Said {
  std::uint32_t skip = 0;
  std::vector<std::uint64_t> prepared;
  std::vector<std::uint64_t> fits;
  std::vector<std::uint16_t> reasons;
  std::vector<std::int32_t> scores;
  std::vector<std::int64_t> estimates;
  std::vector<std::uint32_t> chosen;
  std::vector<std::pair<std::uint32_t, std::int32_t>> targets;
  std::vector<flt_status_t> statuses;
  bool operator==(const Said&) const = default;
};

bool has(const std::vector<std::uint64_t>& set, std::uint32_t row) {
  return (set[row / 64] >> (row % 64) & 1) != 0;
}

class Subject {
 public:
  Subject(const SchedulerSubject& subject, const TestTable& table)
      : table_(table),
        instance_(host_, *subject.component, subject.config_json, ""),
        ops_(*static_cast<const flt_scheduler_ops_t*>(subject.component->ops)) {
    expect(instance_.self() != nullptr, "create failed: " + instance_.created().message);
    cycle_.struct_size = sizeof cycle_;
    cycle_.table = table.get();
  }

  flt_status_t bind(std::string& message) {
    if (!FLT_HAS(&ops_, bind)) return FLT_OK;
    return run(message,
               [&](flt_error_t* error) { return ops_.bind(instance_.self(), table_.binder(), error); });
  }
  void prepare_table() {
    std::string message;
    expect(bind(message) == FLT_OK, "bind failed: " + message);
    if (!FLT_HAS(&ops_, table_changed)) return;
    const flt_status_t status = run(message, [&](flt_error_t* error) {
      return ops_.table_changed(instance_.self(), table_.binder(), table_.get(), nullptr, error);
    });
    expect(status == FLT_OK, "table_changed failed: " + message);
  }

  // `split`: rows are asked for in two ranges.
  Said ask(const flt_workload_t* workload, bool split = false) {
    Said said;
    std::vector<flt_rows_t> ranges = {{0, table_.rows()}};
    if (split && table_.rows() > 64) ranges = {{0, 64}, {64, table_.rows()}};
    prepare(workload, said);
    filter(workload, ranges, said);
    score_and_estimate(workload, ranges, said);
    choose(workload, said);
    return said;
  }

 private:
  template <typename Operation>
  flt_status_t run(std::string& message, Operation operation) {
    flt_status_t status = FLT_UNKNOWN;
    const Answer answer = host_.run([&](flt_call_t* call) {
      flt_error_t error{};
      error.struct_size = sizeof error;
      error.arena = host_.table()->call->arena(call);
      status = operation(&error);
      host_.table()->call->complete(call, status, nullptr, status == FLT_OK ? nullptr : &error);
    });
    message = answer.message;
    return status;
  }
  template <typename Operation>
  bool step(Said& said, const char* what, bool may_refuse, Operation operation) {
    std::string message;
    const flt_status_t status = run(message, operation);
    said.statuses.push_back(status);
    if (status == FLT_OK) return true;
    const bool refuses = status == FLT_FAILED_PRECONDITION || status == FLT_RESOURCE_EXHAUSTED;
    expect(may_refuse && refuses, std::string(what) + " failed: " + message);
    expect(!message.empty(), std::string(what) + " refused without a message");
    return false;
  }

  std::vector<std::uint64_t> all_rows() const {
    std::vector<std::uint64_t> rows(table_.words(), ~std::uint64_t{0});
    if (table_.rows() % 64 != 0) rows.back() >>= 64 - table_.rows() % 64;
    return rows;
  }
  Guarded<std::uint64_t> guarded_rows(const std::vector<std::uint64_t>& rows) const {
    Guarded<std::uint64_t> guarded(rows.size(), 0);
    std::copy(rows.begin(), rows.end(), guarded.data());
    return guarded;
  }
  static void expect_narrowed(const std::vector<std::uint64_t>& now, const std::vector<std::uint64_t>& before,
                              const char* what) {
    for (std::size_t word = 0; word < now.size(); ++word) {
      expect((now[word] & ~before[word]) == 0, std::string(what) + " set bits");
    }
  }

  void prepare(const flt_workload_t* workload, Said& said) {
    said.prepared = all_rows();
    if (!FLT_HAS(&ops_, prepare)) return;
    auto rows = guarded_rows(said.prepared);
    step(said, "prepare", false, [&](flt_error_t* error) {
      return ops_.prepare(instance_.self(), &cycle_, workload, rows.data(), &said.skip, error);
    });
    const auto before = said.prepared;
    said.prepared = rows.taken("prepare");
    expect_narrowed(said.prepared, before, "prepare");
  }
  void filter(const flt_workload_t* workload, const std::vector<flt_rows_t>& ranges, Said& said) {
    said.fits = said.prepared;
    if (!FLT_HAS(&ops_, filter) || (said.skip & FLT_SKIP_FILTER) != 0) return;
    auto rows = guarded_rows(said.prepared);
    Guarded<std::uint16_t> reasons(table_.rows(), 0);
    for (const flt_rows_t& range : ranges) {
      step(said, "filter", false, [&](flt_error_t* error) {
        return ops_.filter(instance_.self(), &cycle_, workload, range, rows.data(), reasons.data(), error);
      });
    }
    said.statuses.clear();
    said.fits = rows.taken("filter");
    said.reasons = reasons.taken("filter");
    expect_narrowed(said.fits, said.prepared, "filter");
    for (std::uint32_t row = 0; row < table_.rows(); ++row) {
      if (has(said.fits, row) || !has(said.prepared, row)) continue;
      expect(said.reasons[row] != 0, "a cluster was refused without a reason");
      expect(said.reasons[row] <= table_.reasons(), "a reason was never registered");
    }
  }
  void score_and_estimate(const flt_workload_t* workload, const std::vector<flt_rows_t>& ranges, Said& said) {
    Guarded<std::int32_t> scores(table_.rows(), 0);
    Guarded<std::int64_t> estimates(table_.rows(), -1);
    for (const flt_rows_t& range : ranges) {
      if (FLT_HAS(&ops_, score) && (said.skip & FLT_SKIP_SCORE) == 0) {
        step(said, "score", false, [&](flt_error_t* error) {
          return ops_.score(instance_.self(), &cycle_, workload, range, said.fits.data(), scores.data(),
                            error);
        });
      }
      if (FLT_HAS(&ops_, estimate) && (said.skip & FLT_SKIP_ESTIMATE) == 0) {
        step(said, "estimate", false, [&](flt_error_t* error) {
          return ops_.estimate(instance_.self(), &cycle_, workload, range, said.fits.data(), estimates.data(),
                               error);
        });
      }
    }
    said.statuses.clear();
    said.scores = scores.taken("score");
    said.estimates = estimates.taken("estimate");
    for (std::uint32_t row = 0; row < table_.rows(); ++row) {
      if (!has(said.fits, row)) continue;
      expect(said.scores[row] >= 0 && said.scores[row] <= 1000, "a score is not between 0 and 1000");
      expect(said.estimates[row] >= -1, "an estimate is less than unknown");
    }
  }
  void choose(const flt_workload_t* workload, Said& said) {
    std::vector<flt_candidate_t> candidates;
    for (std::uint32_t row = 0; row < table_.rows(); ++row) {
      if (!has(said.fits, row)) continue;
      const auto room = static_cast<std::int32_t>(1000 - row);
      candidates.push_back({row, 0, std::max(room, 0), 0, std::max(room, 0)});
    }
    std::set<std::uint32_t> open;
    for (const flt_candidate_t& candidate : candidates) open.insert(candidate.row);
    if (FLT_HAS(&ops_, select) && (said.skip & FLT_SKIP_SELECT) == 0 && !candidates.empty()) {
      Guarded<std::uint32_t> chosen(candidates.size(), 0);
      std::uint64_t count = 0;
      const bool done = step(said, "select", true, [&](flt_error_t* error) {
        return ops_.select(instance_.self(), &cycle_, workload, candidates.data(), candidates.size(),
                           chosen.data(), &count, error);
      });
      said.chosen = chosen.taken("select");
      expect(count <= said.chosen.size(), "select chose more clusters than there are candidates");
      said.chosen.resize(done ? static_cast<std::size_t>(count) : 0);
      for (const std::uint32_t row : said.chosen) {
        expect(open.erase(row) == 1, "select chose a cluster twice, or one that is no candidate");
      }
    }
    if (FLT_HAS(&ops_, assign) && (said.skip & FLT_SKIP_ASSIGN) == 0 && !candidates.empty()) {
      assign(workload, candidates, said);
    }
  }
  void assign(const flt_workload_t* workload, const std::vector<flt_candidate_t>& candidates, Said& said) {
    std::vector<flt_target_t> targets(candidates.size() + 1, {0xA5A5A5A5u, 0});
    std::uint64_t count = 0;
    if (!step(said, "assign", true, [&](flt_error_t* error) {
          return ops_.assign(instance_.self(), &cycle_, workload, candidates.data(), candidates.size(),
                             targets.data(), &count, error);
        })) {
      return;
    }
    expect(targets.back().row == 0xA5A5A5A5u, "assign wrote behind what it was given");
    expect(count <= candidates.size(), "assign wrote more targets than there are clusters");
    std::set<std::uint32_t> open;
    for (const flt_candidate_t& candidate : candidates) open.insert(candidate.row);
    std::int64_t sum = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto [row, replicas] = targets[i];
      expect(open.erase(row) == 1, "assign named a cluster twice, or one that was not chosen");
      expect(replicas >= 0 && replicas <= workload->replicas, "assign gave a cluster an impossible number");
      said.targets.emplace_back(row, replicas);
      sum += replicas;
    }
    expect(
        workload->strategy == FLT_DIVIDE_DUPLICATED || sum == workload->replicas,
        "assign gave out " + std::to_string(sum) + " of " + std::to_string(workload->replicas) + " replicas");
  }

  const TestTable& table_;
  TestHost host_;
  TestInstance instance_;
  const flt_scheduler_ops_t& ops_;
  flt_cycle_t cycle_{};
};

constexpr std::uint32_t kRows = 200;  // more than one word, and not a multiple of 64

void check_table(const SchedulerSubject& subject) {
  const flt_component_t& component = *subject.component;
  expect(std::string(component.kind) == FLT_KIND_SCHEDULER, "the component is of another kind");
  expect((component.exec & FLT_EXEC_COMPUTE) != 0, "the component does not say FLT_EXEC_COMPUTE");
  const auto* ops = static_cast<const flt_scheduler_ops_t*>(component.ops);
  expect(ops != nullptr && ops->struct_size >= sizeof *ops, "the table is shorter than minor 0 has it");
  expect(FLT_HAS(ops, prepare) || FLT_HAS(ops, filter) || FLT_HAS(ops, score) || FLT_HAS(ops, estimate) ||
             FLT_HAS(ops, select) || FLT_HAS(ops, assign) || FLT_HAS(ops, observe),
         "the policy has no step");
}

void check_bind(const SchedulerSubject& subject) {
  const TestTable bare(3, true);
  Subject under(subject, bare);
  std::string message;
  const flt_status_t status = under.bind(message);
  expect(status == FLT_OK || status == FLT_FAILED_PRECONDITION,
         "without its columns bind fails with another status than FAILED_PRECONDITION");
  expect(status == FLT_OK || !message.empty(), "bind does not say which column is missing");
}

void check_sizes(const SchedulerSubject& subject) {
  for (const std::uint32_t rows : {0u, 1u, 63u, 64u, 65u, 1000u}) {
    const TestTable table(rows);
    Subject under(subject, table);
    under.prepare_table();
    for (unsigned variant = 0; variant < TestWorkload::kVariants; ++variant) {
      under.ask(TestWorkload(table, variant).get());
    }
  }
}

void check_pure(const SchedulerSubject& subject) {
  const TestTable table(kRows);
  Subject under(subject, table);
  Subject other(subject, table);
  under.prepare_table();
  other.prepare_table();
  for (unsigned variant = 0; variant < TestWorkload::kVariants; ++variant) {
    const TestWorkload workload(table, variant);
    const Said first = under.ask(workload.get());
    expect(under.ask(workload.get()) == first, "asked again it answers otherwise");
    expect(other.ask(workload.get()) == first, "another instance answers otherwise");
  }
}

void check_ranges(const SchedulerSubject& subject) {
  const TestTable table(kRows);
  Subject under(subject, table);
  under.prepare_table();
  for (unsigned variant = 0; variant < TestWorkload::kVariants; ++variant) {
    const TestWorkload workload(table, variant);
    expect(under.ask(workload.get(), true) == under.ask(workload.get()),
           "asked in two ranges of rows it answers otherwise");
  }
}

void check_concurrent(const SchedulerSubject& subject) {
  const TestTable table(kRows);
  Subject under(subject, table);
  under.prepare_table();
  std::array<bool, 4> same{};
  std::vector<std::thread> threads;
  const TestWorkload workload(table, 3);
  const Said wanted = under.ask(workload.get());
  for (bool& result : same) {
    threads.emplace_back([&] {
      result = true;
      for (int i = 0; i < 25; ++i) result = under.ask(workload.get()) == wanted && result;
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect(same == std::array<bool, 4>{true, true, true, true},
         "asked from several threads it answers otherwise");
}

constexpr SchedulerCheck kChecks[] = {
    {"SCH-TABLE", "The policy is of its kind, computes, and has a step.", check_table},
    {"SCH-BIND", "Without the columns it needs it says so.", check_bind},
    {"SCH-ANSWERS", "For tables of any size answers are within rows, ranges and sums.", check_sizes},
    {"SCH-PURE", "Equal questions get equal answers, in any instance.", check_pure},
    {"SCH-RANGES", "What is said of a cluster does not depend on which others are asked for.", check_ranges},
    {"SCH-CONCURRENT", "One instance may be asked from several threads.", check_concurrent},
};

}  // namespace

std::span<const SchedulerCheck> scheduler_checks() {
  return kChecks;
}

std::string run_check(const SchedulerCheck& check, const SchedulerSubject& subject) {
  try {
    check.run(subject);
    return {};
  } catch (const std::exception& wrong) {
    return wrong.what();
  }
}

}  // namespace flotilla::conformance
