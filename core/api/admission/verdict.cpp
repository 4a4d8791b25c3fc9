// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/api/admission/rules.hpp"

namespace flotilla::api {

namespace {

constexpr std::size_t kMaxClusterName = 48;

}  // namespace

Status denial(const FieldErrors& errors) {
  if (errors.empty()) return {};
  std::vector<std::string> lines;
  for (const Cause& cause : errors.causes()) {
    std::string line = cause.field + ": " + cause.message;
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
  }
  std::string text = lines.front();
  for (std::size_t i = 1; i < lines.size(); ++i) text += ", " + lines[i];
  if (lines.size() > 1) text = "[" + text + "]";
  ErrorDetails details;
  details.causes = errors.causes();
  return Error(Code::Forbidden, std::move(text), std::move(details));
}

void invalid_each(FieldErrors& errors, const std::string& field, const Json& value,
                  const std::vector<std::string>& details) {
  for (const std::string& detail : details) errors.invalid(field, value, detail);
}

std::vector<std::string> check_cluster_name(std::string_view name) {
  if (name.empty()) return {"must be not empty"};
  if (name.size() > kMaxClusterName) {
    return {"must be no more than " + std::to_string(kMaxClusterName) + " characters"};
  }
  return check_dns_label(name);
}

}  // namespace flotilla::api
