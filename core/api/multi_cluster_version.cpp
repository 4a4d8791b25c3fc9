// SPDX-License-Identifier: Apache-2.0
#include "core/api/multi_cluster_version.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/json.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api {

namespace {

// The JSON object that the text stands for; null where it stands for none.
Json decode_object(std::string_view text) {
  const std::optional<std::string> bytes = base64url_decode(text);
  if (!bytes) return {};
  Result<Json> value = Json::parse(*bytes);
  return value && value->is_object() ? std::move(*value) : Json();
}

// Karmada writes these members in this order, and tokens are compared as text.
void append_member(std::string& out, std::string_view name, const std::string& value) {
  out += out.size() > 1 ? "," : "";
  out += Json(name).dump() + ":" + Json(value).dump();
}

}  // namespace

MultiClusterVersion MultiClusterVersion::decode(std::string_view text) {
  MultiClusterVersion version;
  version.zero_ = text == "0";
  if (text.empty() || version.zero_) return version;
  Json object = decode_object(text);
  for (auto [cluster, value] : object.members()) {
    if (!value.is_string()) return {};
    version.versions_.emplace(cluster, value.as_string());
  }
  return version;
}

std::string MultiClusterVersion::encode() const {
  if (zero_) return "0";
  if (versions_.empty()) return {};
  Json object = Json::object();
  for (const auto& [cluster, version] : versions_) object.set(cluster, version);
  return base64url_encode(object.dump());
}

std::string_view MultiClusterVersion::of(std::string_view cluster) const {
  if (zero_) return "0";
  auto found = versions_.find(cluster);
  return found == versions_.end() ? std::string_view() : std::string_view(found->second);
}

void MultiClusterVersion::set(std::string_view cluster, std::string_view version) {
  zero_ = false;
  versions_.insert_or_assign(std::string(cluster), std::string(version));
}

MultiClusterContinue MultiClusterContinue::decode(std::string_view text) {
  Json object = decode_object(text);
  const Json& read = object;
  return {std::string(read["rv"].as_string()), std::string(read["cluster"].as_string()),
          std::string(read["continue"].as_string())};
}

std::string MultiClusterContinue::encode() const {
  if (cluster.empty()) return {};
  std::string text = "{";
  append_member(text, "rv", resource_version);
  append_member(text, "cluster", cluster);
  if (!token.empty()) append_member(text, "continue", token);
  return base64url_encode(text + "}");
}

}  // namespace flotilla::api
