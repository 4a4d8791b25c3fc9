// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/taint_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flotilla::ctl {

using api::Json;

namespace {

constexpr std::string_view kEffects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};

bool is_meant(const Json& taint, const TaintChange& change) {
  return taint["key"].as_string() == change.key &&
         (change.effect.empty() || taint["effect"].as_string() == change.effect);
}

Error wrong(std::string_view text, std::string_view why) {
  return Error(Code::BadRequest, fmt::format("\"{}\" is no taint: {}", text, why));
}

}  // namespace

Result<TaintChange> parse_taint(std::string_view text) {
  TaintChange change;
  std::string_view rest = text;
  if (rest.ends_with('-')) {
    change.remove = true;
    rest.remove_suffix(1);
  }
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    change.effect = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (std::find(std::begin(kEffects), std::end(kEffects), change.effect) == std::end(kEffects))
      return wrong(text, "the effect is NoSchedule, PreferNoSchedule or NoExecute");
  } else if (!change.remove) {
    return wrong(text, "an effect is needed, as in key=value:NoSchedule");
  }
  const std::size_t equals = rest.find('=');
  if (equals != std::string_view::npos) change.value = rest.substr(equals + 1);
  change.key = rest.substr(0, equals);
  if (change.key.empty()) return wrong(text, "there is no key");
  return change;
}

Result<std::vector<TaintChange>> parse_taints(const std::vector<std::string>& words) {
  std::vector<TaintChange> changes;
  for (const std::string& word : words) {
    Result<TaintChange> change = parse_taint(word);
    if (!change) return change.error();
    for (const TaintChange& other : changes) {
      const bool same = other.key == change->key &&
                        (other.effect == change->effect || other.effect.empty() || change->effect.empty());
      if (same && other.remove != change->remove)
        return Error(Code::BadRequest, fmt::format("can not both modify and remove the taint \"{}\"", word));
      if (same && !other.remove)
        return Error(Code::BadRequest, fmt::format("the taint \"{}\" is there twice", word));
    }
    changes.push_back(std::move(*change));
  }
  return changes;
}

Result<Json> change_taints(const Json& taints, const std::vector<TaintChange>& changes, bool overwrite) {
  std::vector<Json> kept(taints.elements().begin(), taints.elements().end());
  for (const TaintChange& change : changes) {
    const auto found =
        std::find_if(kept.begin(), kept.end(), [&](const Json& taint) { return is_meant(taint, change); });
    if (change.remove) {
      if (found == kept.end()) {
        return Error(Code::NotFound, fmt::format("taint \"{}{}{}\" not found", change.key,
                                                 change.effect.empty() ? "" : ":", change.effect));
      }
      std::erase_if(kept, [&](const Json& taint) { return is_meant(taint, change); });
      continue;
    }
    const bool there = found != kept.end();
    if (there && std::as_const(*found)["value"].as_string() == change.value) continue;
    if (there && !overwrite) {
      return Error(
          Code::AlreadyExists,
          fmt::format("already has {} taint(s) with same effect(s) and --overwrite is false", change.key));
    }
    Json taint = Json::object({{"key", change.key}, {"effect", change.effect}});
    if (!change.value.empty()) taint.set("value", change.value);
    if (there) {
      *found = std::move(taint);
    } else {
      kept.push_back(std::move(taint));
    }
  }
  Json out = Json::array();
  for (Json& taint : kept) out.push_back(std::move(taint));
  return out;
}

}  // namespace flotilla::ctl
