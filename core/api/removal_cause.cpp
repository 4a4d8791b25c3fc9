// SPDX-License-Identifier: Apache-2.0
#include "core/api/removal_cause.hpp"

#include <algorithm>
#include <array>

#include "core/api/object.hpp"

namespace flotilla::api {
namespace {

constexpr std::size_t kRemembered = 16;
constexpr std::size_t kLongestMessage = 1024;
constexpr std::array<std::string_view, kRemovalReasons> kReasons = {
    "TemplateDeleted",  "BindingDeleted", "ClusterRemoved", "EvictionConfirmed",
    "Approved",         "ScaledToZero",   "NotRequired",    "PurgedDirectly",
    "PlacementChanged", "Rescheduled",    "NoClusterFits",  "Evicted"};

std::optional<RemovalCause> cause_of(const Json& json) {
  const auto reason = parse_removal_reason(json["cause"].as_string());
  if (!reason) return std::nullopt;
  const auto text = [&](const char* member) { return std::string(json[member].as_string()); };
  return RemovalCause{*reason, text("by"), text("message"), text("since"), text("held")};
}

Json read(const Json& object) {
  auto json = Json::parse(annotation_of(object, annotations::kRemovalCause));
  return json && json->is_object() ? *std::move(json) : Json::object();
}

}  // namespace

std::string_view to_string(RemovalReason reason) {
  return kReasons[static_cast<std::size_t>(reason)];
}

std::optional<RemovalReason> parse_removal_reason(std::string_view text) {
  const auto found = std::find(kReasons.begin(), kReasons.end(), text);
  if (found == kReasons.end()) return std::nullopt;
  return static_cast<RemovalReason>(found - kReasons.begin());
}

bool is_asked_for(RemovalReason reason) {
  return reason < RemovalReason::PurgedDirectly;
}

std::string RemovalCause::text() const {
  std::string text(to_string(reason));
  if (!by.empty()) text += " by " + by;
  if (!message.empty()) text += ": " + message;
  return text;
}

Json to_json(const RemovalCause& cause) {
  Json json = Json::object({{"cause", to_string(cause.reason)}, {"since", cause.since}});
  if (!cause.by.empty()) json.set("by", cause.by);
  if (!cause.message.empty()) json.set("message", cause.message.substr(0, kLongestMessage));
  if (!cause.held.empty()) json.set("held", cause.held);
  return json;
}

std::optional<RemovalCause> removal_cause_of_work(const Json& work) {
  return cause_of(read(work));
}

std::optional<RemovalCause> removal_cause_of_binding(const Json& binding, std::string_view cluster) {
  const Json all = read(binding);
  return cause_of(all[cluster]);
}

void note_removal(Json& binding, std::string_view cluster, const RemovalCause& cause) {
  Json all = read(binding);
  all.set(cluster, to_json(cause));
  while (all.size() > kRemembered) {
    std::string oldest;
    std::string since;
    for (const auto& [name, one] : std::as_const(all).members()) {
      if (name == cluster || (!oldest.empty() && one["since"].as_string() >= since)) continue;
      oldest = name;
      since = one["since"].as_string();
    }
    all.erase(oldest);
  }
  binding.make({"metadata", "annotations", annotations::kRemovalCause}) = all.dump();
}

bool forget_removal(Json& binding, std::string_view cluster) {
  if (annotation_of(binding, annotations::kRemovalCause).empty()) return false;
  Json all = read(binding);
  if (!all.erase(cluster)) return false;
  if (all.empty()) {
    binding.make({"metadata", "annotations"}).erase(annotations::kRemovalCause);
  } else {
    binding.make({"metadata", "annotations", annotations::kRemovalCause}) = all.dump();
  }
  return true;
}

bool is_removal_approved(const Json& binding, std::string_view cluster) {
  const std::string_view list = annotation_of(binding, annotations::kApproveRemoval);
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view one = list.substr(begin, end - begin);
    if (one == "*" || one == cluster) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace flotilla::api
