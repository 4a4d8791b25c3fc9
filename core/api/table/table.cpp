// SPDX-License-Identifier: Apache-2.0
#include "core/api/table/table.hpp"

#include <charconv>
#include <chrono>

#include "core/api/json_path.hpp"
#include "core/api/object.hpp"
#include "core/api/schema/embedded.hpp"
#include "core/api/table/cells.hpp"
#include "core/base/assert.hpp"

namespace flotilla::api {
namespace {

std::string_view word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view found = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return found;
}

using Columns = std::unordered_map<std::string, std::vector<PrinterColumn>>;

PrinterColumn read_column(std::string_view line) {
  PrinterColumn made;
  auto name = Json::parse(word(line));
  ASSERT(name.ok());
  made.name = name->as_string();
  made.type = word(line);
  const std::string_view format = word(line);
  if (format != "-") made.format = format;
  const std::string_view priority = word(line);
  std::from_chars(priority.data(), priority.data() + priority.size(), made.priority);
  made.cell = line;
  return made;
}

const Columns& builtin_columns() {
  static const Columns& all = *[] {
    auto* made = new Columns;
    std::string_view text = embedded::columns();
    std::vector<PrinterColumn>* current = nullptr;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.starts_with("kind ")) {
        line.remove_prefix(5);
        const std::string_view group = word(line);
        current = &(*made)[(group == "-" ? std::string() : std::string(group)) + "/" + std::string(line)];
      } else if (line.starts_with(' ')) {
        current->push_back(read_column(line.substr(1)));
      }
    }
    return made;
  }();
  return all;
}

Json run_rule(const std::string& rule, const Json& object, WallTime now) {
  std::string_view rest = rule;
  const std::string_view name = word(rest);
  table::Cell cell{object, {}, now};
  while (!rest.empty()) cell.arguments.push_back(word(rest));
  for (const auto* rules : {&table::generic_rules(), &table::kind_rules()}) {
    if (const auto at = rules->find(name); at != rules->end()) return at->second(cell);
  }
  ASSERT(!"config/schema/columns.txt names a rule that exists");
  return nullptr;
}

// A custom resource's cell: the path's values as one text, or the typed value.
Json run_path(const PrinterColumn& column, const Json& object, WallTime now) {
  auto path = JsonPath::parse("{" + column.cell + "}", JsonPath::Missing::IsNothing);
  if (!path) return nullptr;
  auto found = path->find(object);
  if (!found || found->empty()) return nullptr;
  const Json& first = *found->front();
  if (column.type == "string") {
    auto text = path->render(object);
    if (first.is_null() || !text) return nullptr;
    return *std::move(text);
  }
  if (column.type == "date") {
    if (first.is_null()) return nullptr;
    auto time = parse_time(first.as_string());
    return time ? human_duration(now - *time) : std::string("<invalid>");
  }
  if (column.type == "integer") return first.is_number() ? Json(first.as_int()) : Json();
  if (column.type == "number") return first.is_number() ? first : Json();
  if (column.type == "boolean") return first.is_bool() ? first : Json();
  return nullptr;
}

bool has_rules(const Resource& resource) {
  return resource.origin == Origin::Kubernetes;
}

}  // namespace

std::vector<PrinterColumn> table_columns(const Resource& resource) {
  if (has_rules(resource)) {
    const auto at = builtin_columns().find(resource.group + "/" + resource.kind);
    if (at != builtin_columns().end()) return at->second;
    return {{.name = "Name", .type = "string", .format = "name", .cell = "get .metadata.name"},
            {.name = "Created At", .type = "date", .cell = "created"}};
  }
  std::vector<PrinterColumn> columns = resource.columns;
  if (columns.empty() || columns.front().format != "name") {
    columns.insert(columns.begin(),
                   {.name = "Name", .type = "string", .format = "name", .cell = ".metadata.name"});
  }
  if (columns.size() == 1)
    columns.push_back({.name = "Age", .type = "date", .cell = ".metadata.creationTimestamp"});
  return columns;
}

Json table_cells(const Resource& resource, const std::vector<PrinterColumn>& columns, const Json& object,
                 WallTime now) {
  Json cells = Json::array();
  for (const PrinterColumn& column : columns) {
    if (has_rules(resource)) {
      cells.push_back(run_rule(column.cell, object, now));
    } else if (column.cell == ".metadata.creationTimestamp") {
      cells.push_back(age_of(object.at({"metadata", "creationTimestamp"}), now));
    } else {
      cells.push_back(run_path(column, object, now));
    }
  }
  return cells;
}

Json table_conditions(const Resource& resource, const Json& object) {
  if (!resource.group.empty() || resource.kind != "Pod") return nullptr;
  const std::string_view phase = object.at({"status", "phase"}).as_string();
  if (phase != "Succeeded" && phase != "Failed") return nullptr;
  const char* message = phase == "Failed" ? "The pod failed." : "The pod has completed successfully.";
  return Json::array(
      {Json::object({{"type", "Completed"}, {"status", "True"}, {"reason", phase}, {"message", message}})});
}

std::string human_duration(Duration duration) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  const auto pair = [](std::int64_t large, const char* unit, std::int64_t small, const char* small_unit) {
    std::string text = std::to_string(large) + unit;
    if (small != 0) text += std::to_string(small) + small_unit;
    return text;
  };
  if (seconds < 120) return std::to_string(seconds) + "s";
  const std::int64_t minutes = seconds / 60;
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return std::to_string(minutes) + "m";
  const std::int64_t hours = minutes / 60;
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return std::to_string(hours) + "h";
  if (hours < 192) return pair(hours / 24, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return std::to_string(hours / 24) + "d";
  if (hours < 24 * 365 * 8) return pair(hours / 24 / 365, "y", hours / 24 % 365, "d");
  return std::to_string(hours / 24 / 365) + "y";
}

std::string age_of(const Json& timestamp, WallTime now) {
  if (!timestamp.is_string()) return "<unknown>";
  auto time = parse_time(timestamp.as_string());
  return time ? human_duration(now - *time) : "<unknown>";
}

}  // namespace flotilla::api
