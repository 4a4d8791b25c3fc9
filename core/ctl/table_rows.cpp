// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/table_rows.hpp"

#include <algorithm>

#include "core/api/object.hpp"
#include "core/ctl/terminal.hpp"

namespace flotilla::ctl {

using api::Json;

namespace {

std::string text_of(const Json& cell) {
  if (cell.is_null()) return "<none>";
  return cell.is_string() ? std::string(cell.as_string()) : cell.dump();
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

void ServerTables::take_header(const Json& table) {
  if (style_.with_namespace) header_.emplace_back("NAMESPACE");
  for (const Json& column : table["columnDefinitions"].elements()) {
    if (!style_.wide && column["priority"].as_int() != 0) continue;
    names_.emplace_back(column["name"].as_string());
    header_.push_back(upper(names_.back()));
    if (style_.with_clusters && names_.size() == 1) header_.emplace_back("CLUSTER");
  }
  if (style_.with_clusters) header_.emplace_back("ADOPTION");
}

void ServerTables::add(const Json& table, const std::string& cluster) {
  if (header_.empty()) take_header(table);
  std::vector<std::size_t> at;  // where this table has our columns
  const auto columns = table["columnDefinitions"].elements();
  for (const std::string& name : names_) {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const Json& column) { return column["name"].as_string() == name; });
    at.push_back(static_cast<std::size_t>(found - columns.begin()));
  }
  for (const Json& row : table["rows"].elements()) {
    std::vector<std::string> cells;
    const Json& metadata = row["object"]["metadata"];
    if (style_.with_namespace) cells.emplace_back(metadata["namespace"].as_string());
    for (std::size_t i = 0; i < at.size(); ++i) {
      cells.push_back(at[i] < columns.size() ? text_of(row["cells"].element(at[i])) : "<none>");
      if (style_.with_clusters && i == 0) cells.push_back(cluster.empty() ? "Karmada" : cluster);
    }
    if (style_.with_clusters) {
      const bool adopted = metadata["labels"]["karmada.io/managed"].as_string() == "true";
      cells.emplace_back(cluster.empty() ? "-" : adopted ? "Y" : "N");
    }
    rows_.push_back(std::move(cells));
  }
}

void ServerTables::print() const {
  print_table(header_, rows_, style_.with_header);
}

}  // namespace flotilla::ctl
