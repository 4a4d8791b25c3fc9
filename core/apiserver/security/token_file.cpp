// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/token_file.hpp"

#include <vector>

namespace flotilla::apiserver {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Fields of one line of comma-separated values; "" in quotes is a quote.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      const bool doubled = quoted && i + 1 < line.size() && line[i + 1] == '"';
      if (doubled) {
        fields.back() += '"';
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  for (std::string& field : fields) field = trimmed(field);
  return fields;
}

}  // namespace

Result<std::map<std::string, UserInfo>> read_token_file(std::string_view text) {
  std::map<std::string, UserInfo> tokens;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> fields = fields_of(line);
    const auto fault = [&](const char* what) {
      return Error(Code::Invalid, "line " + std::to_string(number) + ": " + what);
    };
    if (fields.size() < 3) return fault("expected token,user,uid and perhaps groups");
    if (fields[0].empty()) return fault("the token is empty");
    UserInfo user{fields[1], fields[2], {}, {}};
    if (fields.size() >= 4) {
      for (std::string_view groups = fields[3]; !groups.empty();) {
        const auto comma = groups.find(',');
        const std::string_view group = trimmed(groups.substr(0, comma));
        if (!group.empty()) user.groups.emplace_back(group);
        groups = comma == std::string_view::npos ? std::string_view() : groups.substr(comma + 1);
      }
    }
    if (!tokens.emplace(fields[0], std::move(user)).second) return fault("the token occurs twice");
  }
  return tokens;
}

}  // namespace flotilla::apiserver
