// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/request_info.hpp"

#include <algorithm>
#include <charconv>

#include "core/api/selector.hpp"
#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::vector<std::string> split_path(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  std::vector<std::string> parts;
  if (path.empty()) return parts;
  for (;;) {
    const auto slash = path.find('/');
    parts.emplace_back(
        percent_decode(path.substr(0, slash), false).value_or(std::string(path.substr(0, slash))));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

std::string_view verb_of(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET" || method == "HEAD") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

// After prefix, group and version: [namespaces NS] RESOURCE NAME SUBRESOURCE rest...
void read_resource(RequestInfo& info, std::vector<std::string> parts) {
  std::size_t at = 0;
  if (parts.size() >= 2 && parts[0] == "namespaces") {
    info.ns = parts[1];
    const bool of_namespace =
        parts.size() == 2 || (parts.size() == 3 && (parts[2] == "status" || parts[2] == "finalize"));
    if (!of_namespace) at = 2;
  }
  info.resource = parts[at];
  if (parts.size() > at + 1) info.name = parts[at + 1];
  if (parts.size() > at + 2) info.subresource = parts[at + 2];
  for (std::size_t i = at + 3; i < parts.size(); ++i) info.rest.push_back(std::move(parts[i]));
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else {
      out += text[i];
    }
  }
  return out;
}

Query::Query(std::string_view raw) {
  while (!raw.empty()) {
    const auto end = raw.find('&');
    const std::string_view pair = raw.substr(0, end);
    raw = end == std::string_view::npos ? std::string_view() : raw.substr(end + 1);
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (name && value) values_.emplace_back(*std::move(name), *std::move(value));
  }
}

std::string_view Query::get(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return {};
}

bool Query::has(std::string_view name) const {
  return std::any_of(values_.begin(), values_.end(), [&](const auto& pair) { return pair.first == name; });
}

std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : values_) {
    if (key == name) found.push_back(value);
  }
  return found;
}

bool Query::flag(std::string_view name) const {
  if (!has(name)) return false;
  const std::string value = lower(get(name));
  return value != "false" && value != "0";
}

Result<std::optional<std::int64_t>> Query::integer(std::string_view name) const {
  if (!has(name)) return std::optional<std::int64_t>();
  const std::string_view text = get(name);
  std::int64_t value = 0;
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = end == digits.data() + digits.size();
  if (code != std::errc() || !whole) {
    const bool large = whole && code == std::errc::result_out_of_range;
    return Error(Code::BadRequest, "strconv.ParseInt: parsing " + quoted(text) +
                                       (large ? ": value out of range" : ": invalid syntax"));
  }
  return std::optional<std::int64_t>(value);
}

RequestInfo read_request(std::string_view method, std::string_view raw_path, const Query& query) {
  RequestInfo info;
  info.path = percent_decode(raw_path, false).value_or(std::string(raw_path));
  info.parts = split_path(raw_path);
  info.verb = lower(method);
  const auto& parts = info.parts;
  const bool core = !parts.empty() && parts[0] == "api";
  const bool named = !parts.empty() && parts[0] == "apis";
  const std::size_t prefix = core ? 2 : 3;
  if ((!core && !named) || parts.size() <= prefix) return info;
  if (raw_path.substr(0, 2) == "//") return info;

  info.is_resource = true;
  info.verb = verb_of(method);
  if (named) info.group = parts[1];
  info.version = parts[prefix - 1];
  std::vector<std::string> tail(parts.begin() + static_cast<std::ptrdiff_t>(prefix), parts.end());
  if (tail[0] == "watch" && tail.size() > 1) {
    info.legacy_watch = true;
    tail.erase(tail.begin());
  }
  read_resource(info, std::move(tail));
  info.authorization_name = info.name;
  if (info.legacy_watch) {
    info.verb = "watch";
  } else if (info.name.empty() && info.verb == "get") {
    info.verb = query.flag("watch") ? "watch" : "list";
  } else if (info.name.empty() && info.verb == "delete") {
    info.verb = "deletecollection";
  }
  if (info.name.empty() && (info.verb == "list" || info.verb == "watch" || info.verb == "deletecollection")) {
    const auto selector = api::FieldSelector::parse(query.get("fieldSelector"));
    if (selector) info.authorization_name = selector->demanded("metadata.name").value_or("");
  }
  if (info.verb.empty()) info.verb = lower(method);
  return info;
}

}  // namespace flotilla::apiserver
