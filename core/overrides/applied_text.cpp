// SPDX-License-Identifier: Apache-2.0
#include "core/overrides/applied_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace flotilla::overrides {
namespace {

using api::Json;

// One order serves all the types: no two of them disagree.
constexpr std::array<std::string_view, 19> kOrder = {"policyName",
                                                     "overriders",
                                                     "plaintext",
                                                     "imageOverrider",
                                                     "commandOverrider",
                                                     "argsOverrider",
                                                     "labelsOverrider",
                                                     "annotationsOverrider",
                                                     "fieldOverrider",
                                                     "predicate",
                                                     "containerName",
                                                     "fieldPath",
                                                     "subPath",
                                                     "path",
                                                     "component",
                                                     "operator",
                                                     "value",
                                                     "json",
                                                     "yaml"};

std::size_t rank(std::string_view key) {
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), key) - kOrder.begin());
}

void print(const Json& value, bool free, std::string& out);

void print_members(const Json& object, bool free, std::string& out) {
  std::vector<std::string> keys = object.keys();
  if (!free) {
    std::stable_sort(keys.begin(), keys.end(),
                     [](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  }
  out += '{';
  for (const std::string& key : keys) {
    if (&key != keys.data()) out += ',';
    out += Json(key).dump() + ":";
    print(object[key], free || key == "value", out);
  }
  out += '}';
}

// `free`: inside a value that the user chose, where keys go by their names.
void print(const Json& value, bool free, std::string& out) {
  if (value.is_object()) {
    print_members(value, free, out);
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const Json& element : value.elements()) {
      if (!first) out += ',';
      first = false;
      print(element, free, out);
    }
    out += ']';
  } else {
    value.append_to(out);
  }
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string applied_text(const Json& applied) {
  std::string out;
  print(applied, false, out);
  return escaped(out);
}

}  // namespace flotilla::overrides
