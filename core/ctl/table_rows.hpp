// SPDX-License-Identifier: Apache-2.0
// Tables as servers write them (meta.k8s.io/v1 Table), put together and printed as kubectl does.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::ctl {

inline constexpr std::string_view kTableMedia =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

struct TableStyle {
  bool wide = false;
  bool with_namespace = false;
  bool with_header = true;
  bool with_clusters = false;  // CLUSTER behind the name, ADOPTION at the end
};

class ServerTables {
 public:
  explicit ServerTables(TableStyle style) : style_(style) {}

  // Rows of one more answer; `cluster` empty: the control plane's. Columns are those of the first, by name.
  void add(const api::Json& table, const std::string& cluster = {});
  bool empty() const { return rows_.empty(); }
  void print() const;
  const std::vector<std::string>& header() const { return header_; }
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }

 private:
  void take_header(const api::Json& table);

  TableStyle style_;
  std::vector<std::string> names_;  // of the columns shown, as servers call them
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace flotilla::ctl
