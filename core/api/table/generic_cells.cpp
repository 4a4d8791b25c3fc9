// SPDX-License-Identifier: Apache-2.0
// Rules that any kind may use: values, counts, ages, labels, containers.
#include "core/api/table/cells.hpp"
#include "core/api/table/table.hpp"

namespace flotilla::api::table {
namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? std::string(value.as_string()) : value.is_null() ? std::string() : value.dump();
}

// get PATH [PATH]: the first that is there, as text; "" otherwise.
Json get(const Cell& cell) {
  for (std::size_t i = 0; i < cell.arguments.size(); ++i) {
    if (const Json& value = cell.value(i); !value.is_null()) return text_of(value);
  }
  return "";
}

// text PATH OTHERWISE
Json text(const Cell& cell) {
  const std::string value = text_of(cell.value());
  return value.empty() ? std::string(cell.argument(1)) : value;
}

Json integer(const Cell& cell) {
  return cell.value().as_int();
}
Json boolean(const Cell& cell) {
  return cell.value().as_bool();
}
Json printed_bool(const Cell& cell) {
  return cell.value().as_bool() ? "True" : "False";
}
Json count(const Cell& cell) {
  return static_cast<std::int64_t>(cell.value().size());
}

// age PATH [OTHERWISE]
Json age(const Cell& cell) {
  if (cell.value().is_null() && cell.arguments.size() > 1) return std::string(cell.argument(1));
  return age_of(cell.value(), cell.now);
}

Json created(const Cell& cell) {
  return text_of(cell.at(".metadata.creationTimestamp"));
}

Json ratio(const Cell& cell) {
  return std::to_string(cell.value(0).as_int()) + "/" + std::to_string(cell.value(1).as_int());
}

std::string each_container(const Cell& cell, const char* member) {
  std::string out;
  for (const Json& one : cell.value()["containers"].elements()) {
    if (!out.empty()) out += ",";
    out += one[member].as_string();
  }
  return out;
}
Json containers(const Cell& cell) {
  return each_container(cell, "name");
}
Json images(const Cell& cell) {
  return each_container(cell, "image");
}
Json labels(const Cell& cell) {
  return format_labels(cell.value());
}
Json selector(const Cell& cell) {
  return format_selector(cell.value());
}

Json join(const Cell& cell) {
  std::string out;
  for (const Json& one : cell.value().elements()) out += (out.empty() ? "" : ",") + text_of(one);
  return out;
}

// "Kind/name" of a reference.
Json reference(const Cell& cell) {
  return std::string(cell.value()["kind"].as_string()) + "/" + std::string(cell.value()["name"].as_string());
}

Json modes(const Cell& cell) {
  return access_modes(cell.value());
}

// subjects KIND: their names, service accounts with their namespace.
Json subjects(const Cell& cell) {
  std::string out;
  for (const Json& one : cell.at(".subjects").elements()) {
    if (one["kind"].as_string() != cell.argument(0)) continue;
    if (!out.empty()) out += ", ";
    if (cell.argument(0) == "ServiceAccount" && !one["namespace"].as_string().empty())
      out.append(one["namespace"].as_string()).append("/");
    out += one["name"].as_string();
  }
  return out;
}

// The controlling owner.
Json controller(const Cell& cell) {
  for (const Json& owner : cell.at(".metadata.ownerReferences").elements()) {
    if (!owner["controller"].as_bool()) continue;
    std::string kind(owner["kind"].as_string());
    for (char& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::string_view version = owner["apiVersion"].as_string();
    const std::size_t slash = version.find('/');
    if (slash != version.npos) kind.append(".").append(version.substr(0, slash));
    return kind + "/" + std::string(owner["name"].as_string());
  }
  return "<none>";
}

}  // namespace

const Json& Cell::at(std::string_view path) const {
  const Json* value = &object;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('.'), path.size());
    value = &(*value)[path.substr(0, end)];
    path.remove_prefix(end);
  }
  return *value;
}

std::string format_labels(const Json& labels) {
  std::string out;
  for (const auto& [key, value] : labels.members()) {
    if (!out.empty()) out += ",";
    out.append(key).append("=").append(value.as_string());
  }
  return out.empty() ? "<none>" : out;
}

std::string format_selector(const Json& selector) {
  if (selector.empty()) return "<none>";
  std::string out;
  for (const auto& [key, value] : selector["matchLabels"].members()) {
    if (!out.empty()) out += ",";
    out.append(key).append("=").append(value.as_string());
  }
  for (const Json& one : selector["matchExpressions"].elements()) {
    if (!out.empty()) out += ",";
    const std::string_view op = one["operator"].as_string();
    if (op == "DoesNotExist") out += "!";
    out += one["key"].as_string();
    if (op != "In" && op != "NotIn") continue;
    out += op == "In" ? " in (" : " notin (";
    for (const Json& value : one["values"].elements()) {
      if (!out.ends_with('(')) out += ",";
      out += value.as_string();
    }
    out += ")";
  }
  return out.empty() ? "<none>" : out;
}

std::string access_modes(const Json& modes) {
  std::string out;
  const auto has = [&](std::string_view mode) {
    for (const Json& one : modes.elements()) {
      if (one.as_string() == mode) return true;
    }
    return false;
  };
  for (const auto& [mode, letters] : {std::pair{"ReadWriteOnce", "RWO"},
                                      {"ReadOnlyMany", "ROX"},
                                      {"ReadWriteMany", "RWX"},
                                      {"ReadWriteOncePod", "RWOP"}}) {
    if (has(mode)) out += (out.empty() ? "" : ",") + std::string(letters);
  }
  return out;
}

const std::unordered_map<std::string_view, Rule>& generic_rules() {
  static const std::unordered_map<std::string_view, Rule> rules = {
      {"get", get},
      {"text", text},
      {"int", integer},
      {"bool", boolean},
      {"printed_bool", printed_bool},
      {"count", count},
      {"age", age},
      {"created", created},
      {"ratio", ratio},
      {"containers", containers},
      {"images", images},
      {"labels", labels},
      {"selector", selector},
      {"join", join},
      {"reference", reference},
      {"access_modes", modes},
      {"subjects", subjects},
      {"controller", controller},
  };
  return rules;
}

}  // namespace flotilla::api::table
