// SPDX-License-Identifier: Apache-2.0
#include "core/api/schema/descriptions.hpp"

#include <algorithm>
#include <unordered_map>

#include "core/api/schema/embedded.hpp"

namespace flotilla::api {
namespace {

struct Descriptions {
  std::unordered_map<std::string_view, std::string_view> types, fields;
};

Descriptions read() {
  Descriptions made;
  std::string_view text = embedded::descriptions();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const bool field = line.front() == ' ';
    if (field) line.remove_prefix(1);
    const std::size_t space = std::min(line.find(' '), line.size());
    (field ? made.fields : made.types)
        .emplace(line.substr(0, space), line.substr(std::min(space + 1, line.size())));
  }
  return made;
}

const Descriptions& all() {
  static const Descriptions& made = *new Descriptions(read());
  return made;
}

std::string_view find(const std::unordered_map<std::string_view, std::string_view>& in,
                      std::string_view name) {
  const auto found = in.find(name);
  return found == in.end() ? std::string_view() : found->second;
}

}  // namespace

std::string_view describe_type(std::string_view name) {
  return find(all().types, name);
}

std::string_view describe_field(std::string_view name) {
  return find(all().fields, name);
}

}  // namespace flotilla::api
