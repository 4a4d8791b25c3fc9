// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/api/object.hpp"

namespace flotilla::ctl {

using api::Json;

namespace {

constexpr std::size_t kColumn = 20;

// "observedGeneration" is "Observed Generation".
std::string words_of(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool starts =
        i == 0 || (std::isupper(c) != 0 && std::islower(static_cast<unsigned char>(name[i - 1])) != 0);
    if (starts && i > 0) out += ' ';
    out += starts ? static_cast<char>(std::toupper(c)) : name[i];
  }
  return out;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return std::string(value.as_string());
  return value.is_null() ? "<none>" : value.dump();
}

void add_line(std::string& out, std::size_t indent, const std::string& name, std::string_view value) {
  out += fmt::format("{:{}}{}:", "", indent, name);
  if (!value.empty()) {
    const std::size_t used = indent + name.size() + 1;
    out.append(used < kColumn ? kColumn - used : 1, ' ');
    // Texts of several lines stay below each other.
    for (const char c : value) {
      out += c;
      if (c == '\n') out.append(indent + 2, ' ');
    }
  }
  out += '\n';
}

void add_value(std::string& out, std::size_t indent, const std::string& name, const Json& value);

void add_members(std::string& out, std::size_t indent, const Json& object) {
  for (const auto& [key, value] : object.members()) add_value(out, indent, words_of(key), value);
}

void add_value(std::string& out, std::size_t indent, const std::string& name, const Json& value) {
  if (value.is_object() && !value.empty()) {
    add_line(out, indent, name, {});
    return add_members(out, indent + 2, value);
  }
  if (value.is_array() && !value.empty()) {
    add_line(out, indent, name, {});
    for (const Json& element : value.elements()) {
      if (element.is_object()) {
        add_members(out, indent + 2, element);
      } else {
        out += fmt::format("{:{}}{}\n", "", indent + 2, text_of(element));
      }
    }
    return;
  }
  add_line(out, indent, name, text_of(value));
}

// key=value, one below the other.
void add_pairs(std::string& out, const std::string& name, const Json& map, std::string_view between) {
  bool first = true;
  for (const auto& [key, value] : map.members()) {
    if (key == "kubectl.kubernetes.io/last-applied-configuration") continue;
    const std::string pair = fmt::format("{}{}{}", key, between, text_of(value));
    if (first) {
      add_line(out, 0, name, pair);
    } else {
      out += fmt::format("{:{}}{}\n", "", kColumn, pair);
    }
    first = false;
  }
  if (first) add_line(out, 0, name, "<none>");
}

std::string age_at(const Json& time, WallTime now) {
  const auto read = parse_time(time.as_string());
  if (!read) return "<unknown>";
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - *read).count();
  if (seconds < 120) return fmt::format("{}s", std::max<std::int64_t>(seconds, 0));
  if (seconds < 7200) return fmt::format("{}m", seconds / 60);
  if (seconds < 172800) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

}  // namespace

std::string describe_object(const Json& object) {
  std::string out;
  const Json& metadata = object["metadata"];
  add_line(out, 0, "Name", metadata["name"].as_string());
  if (!metadata["namespace"].is_null()) add_line(out, 0, "Namespace", metadata["namespace"].as_string());
  add_pairs(out, "Labels", metadata["labels"], "=");
  add_pairs(out, "Annotations", metadata["annotations"], ": ");
  add_line(out, 0, "API Version", object["apiVersion"].as_string());
  add_line(out, 0, "Kind", object["kind"].as_string());
  Json rest = metadata;
  for (const char* told : {"name", "namespace", "labels", "annotations", "managedFields"}) {
    if (std::as_const(rest).contains(told)) rest.erase(told);
  }
  add_value(out, 0, "Metadata", rest);
  for (const auto& [key, value] : object.members()) {
    if (key != "metadata" && key != "apiVersion" && key != "kind") add_value(out, 0, words_of(key), value);
  }
  return out;
}

std::string describe_events(const Json& events, WallTime now) {
  std::vector<Json> all(events["items"].elements().begin(), events["items"].elements().end());
  const auto last = [](const Json& event) -> const Json& {
    return event["lastTimestamp"].is_string() ? event["lastTimestamp"]
           : event["eventTime"].is_string()   ? event["eventTime"]
                                              : event["metadata"]["creationTimestamp"];
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Json& a, const Json& b) { return last(a).as_string() < last(b).as_string(); });
  if (all.empty()) return fmt::format("{:{}}<none>\n", "Events:", kColumn);
  std::string out = "Events:\n";
  const std::string_view header[] = {"Type", "Reason", "Age", "From", "Message"};
  std::vector<std::vector<std::string>> rows;
  std::size_t widths[4];
  for (std::size_t i = 0; i < 4; ++i) widths[i] = header[i].size();
  for (const Json& event : all) {
    const Json& from = event["source"]["component"];
    rows.push_back({text_of(event["type"]), text_of(event["reason"]), age_at(last(event), now),
                    text_of(from.is_string() ? from : event["reportingComponent"]),
                    text_of(event["message"])});
    const std::int64_t count = event["count"].as_int(1);
    if (count > 1) rows.back()[2] += fmt::format(" (x{})", count);
    for (std::size_t i = 0; i < 4; ++i) widths[i] = std::max(widths[i], rows.back()[i].size());
  }
  const auto add = [&](const auto& cells, bool underline) {
    out += "  ";
    for (std::size_t i = 0; i < 4; ++i)
      out += fmt::format("{:<{}}  ", underline ? std::string(cells[i].size(), '-') : std::string(cells[i]),
                         widths[i]);
    out += underline ? std::string(cells[4].size(), '-') : std::string(cells[4]);
    out += '\n';
  };
  add(header, false);
  add(header, true);
  for (const auto& row : rows) add(row, false);
  return out;
}

}  // namespace flotilla::ctl
