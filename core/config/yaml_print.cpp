// SPDX-License-Identifier: Apache-2.0
// YAML out: block style, lists at the indentation of their key, strings quoted only where they would be read
// as something else.
#include <fmt/format.h>

#include <algorithm>

#include "core/config/yaml.hpp"

namespace flotilla::config {
namespace {

using api::Json;

bool is_plain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`=<~").find(text.front()) != std::string_view::npos) {
    const bool dash_word = text.front() == '-' && text.size() > 1 && text[1] != ' ' && text != "---";
    if (!dash_word) return false;
  }
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return false;
  }
  // Dates would be read as such by other readers.
  const bool date = text.size() >= 10 && text[4] == '-' && text[7] == '-' && std::isdigit(text[0]) != 0;
  return !date && parse_yaml_scalar(text).is_string();
}

std::string quoted(std::string_view text) {
  return Json(text).dump();
}

bool is_block(std::string_view text) {
  return text.find('\n') != std::string_view::npos && text.front() != ' ' && text.front() != '\n' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n'; }) &&
         text.find(" \n") == std::string_view::npos;
}

void print_block(std::string_view text, int indent, std::string& out) {
  out += '|';
  if (!text.ends_with('\n')) {
    out += '-';
  } else if (text.ends_with("\n\n")) {
    out += '+';
  }
  out += '\n';
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) out.append(margin).append(line);
    out += '\n';
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

// Prints the value after "key:" or "-", with the newline. `indent` is where its own lines begin.
void print(const Json& value, int indent, bool after_dash, std::string& out);

void print_scalar(const Json& value, int indent, std::string& out) {
  if (!value.is_string()) {
    out += value.dump();
    out += '\n';
    return;
  }
  const std::string_view text = value.as_string();
  if (!text.empty() && is_block(text)) return print_block(text, std::max(indent, 2), out);
  out += is_plain(text) ? std::string(text) : quoted(text);
  out += '\n';
}

void print_object(const Json& value, int indent, bool after_dash, std::string& out) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  bool first = after_dash;
  for (const auto& [key, member] : value.members()) {
    if (!first) out += margin;
    first = false;
    out += is_plain(key) ? std::string(key) : quoted(key);
    out += ':';
    const bool nested = (member.is_object() || member.is_array()) && !member.empty();
    out += nested ? '\n' : ' ';
    // A list stands at the indentation of its key.
    print(member, member.is_array() ? indent : indent + 2, false, out);
  }
}

void print_array(const Json& value, int indent, bool after_dash, std::string& out) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  bool first = after_dash;
  for (const Json& element : value.elements()) {
    if (!first) out += margin;
    first = false;
    out += "- ";
    print(element, indent + 2, true, out);
  }
}

void print(const Json& value, int indent, bool after_dash, std::string& out) {
  if (value.is_object() && value.empty()) {
    out += "{}\n";
  } else if (value.is_array() && value.empty()) {
    out += "[]\n";
  } else if (value.is_object()) {
    print_object(value, indent, after_dash, out);
  } else if (value.is_array()) {
    print_array(value, indent, after_dash, out);
  } else {
    print_scalar(value, indent, out);
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  std::string out;
  print(value, 0, false, out);
  return out;
}

}  // namespace flotilla::config
