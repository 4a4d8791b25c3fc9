// SPDX-License-Identifier: Apache-2.0
// A ClusterTable as plugins see it (sdk/include/flotilla/abi/table.h): numbers for column names, and the
// columns themselves where they lie, without a copy.
#pragma once

#include <flotilla/abi/table.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/scheduler/cluster_table.hpp"

namespace flotilla::plugin {

// The numbers of columns, equal in all tables shown with it. Resources come and go, so their columns are
// numbered when they are first asked for. Thread: number() alone, all else shared.
class ColumnNumbers {
 public:
  std::int32_t number(std::string_view name);      // -1: no such column
  std::int32_t find(std::string_view name) const;  // the same, but a new resource is not numbered

  // FLT_OK, or NOT_FOUND.
  flt_status_t view(const scheduler::ClusterTable& table, std::int32_t number, flt_column_t& out) const;

 private:
  std::vector<std::string> resources_;
};

// Neither is owned; both outlive the view.
class TableView {
 public:
  TableView(const scheduler::ClusterTable& table, const ColumnNumbers& numbers);
  TableView(const TableView&) = delete;
  TableView& operator=(const TableView&) = delete;

  const flt_table_t* get() const { return &raw_; }
  const scheduler::ClusterTable& table() const { return table_; }
  const ColumnNumbers& numbers() const { return numbers_; }

 private:
  const scheduler::ClusterTable& table_;
  const ColumnNumbers& numbers_;
  flt_table_t raw_{};
};

}  // namespace flotilla::plugin
