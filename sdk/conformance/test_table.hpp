// SPDX-License-Identifier: Apache-2.0
// A made-up cluster table of any size, as hosts show them (flotilla/abi/table.h), and a workload for it.
#pragma once

#include <flotilla/abi/scheduler.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::conformance {

class TestTable {
 public:
  // Regions, labels, taints and resources vary with the row. `bare`: only the column `name` exists.
  explicit TestTable(std::uint32_t rows, bool bare = false);
  TestTable(const TestTable&) = delete;
  TestTable& operator=(const TestTable&) = delete;

  const flt_table_t* get() const { return &raw_; }
  std::uint32_t rows() const { return static_cast<std::uint32_t>(raw_.n_rows); }
  std::uint64_t words() const { return raw_.n_words; }

  // What a policy is bound with. Reasons count from 1.
  const flt_binder_t* binder() const { return &binder_; }
  std::size_t reasons() const { return reasons_.size(); }

  std::int32_t find_column(std::string_view name) const;
  bool column(std::int32_t number, flt_column_t& out) const;
  std::string_view text(std::uint32_t sym) const;
  std::uint32_t find_sym(std::string_view text) const;
  std::uint32_t find_row(std::string_view name) const;
  std::uint16_t reason(std::string_view text) const;

 private:
  void fill_identity(std::uint32_t rows);
  void fill_resources(std::uint32_t rows);
  std::uint32_t sym(std::string_view text);

  flt_table_t raw_{};
  flt_binder_t binder_{};
  bool bare_;
  std::vector<std::string> texts_{""};
  std::map<std::string, std::uint32_t, std::less<>> syms_;
  std::vector<std::uint32_t> names_, providers_, regions_, flags_, zones_, zone_offsets_, taints_,
      taint_offsets_, label_offsets_, resources_;
  std::vector<flt_label_t> labels_, apis_;
  std::vector<flt_taint_t> taint_dictionary_;
  std::vector<std::uint64_t> api_bits_;
  std::map<std::string, std::vector<std::int64_t>, std::less<>> planes_;
  std::vector<std::string> plane_names_;
  mutable std::map<std::string, std::uint16_t, std::less<>> reasons_;
};

// A workload over a table: `variant` chooses strategy, constraints, previous answer and requests.
class TestWorkload {
 public:
  TestWorkload(const TestTable& table, unsigned variant);
  static constexpr unsigned kVariants = 12;
  const flt_workload_t* get() const { return &raw_; }

 private:
  flt_workload_t raw_{};
  std::vector<std::int64_t> requests_, weights_;
  std::vector<flt_target_t> previous_;
  std::vector<std::uint64_t> targets_, evicting_, matched_, group_;
  std::vector<const std::uint64_t*> affinity_;
  std::vector<flt_spread_t> spread_;
  std::vector<flt_toleration_t> tolerations_;
};

}  // namespace flotilla::conformance
