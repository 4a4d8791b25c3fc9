// SPDX-License-Identifier: Apache-2.0
// JSON for plugins that want it: nlohmann::json and what overriding manifests needs on top of it.
#pragma once

#include <flotilla/sdk/plugin.hpp>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace flotilla::sdk {
inline namespace sdk_1 {

using Json = nlohmann::json;

[[noreturn]] inline void refuse(std::string message) {
  throw Failure(FLT_INVALID_ARGUMENT, std::move(message));
}

inline Json parse_json(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& fault) {
    refuse(std::string("not JSON: ") + fault.what());
  }
}

// The member of an object, or null. (For nlohmann::ordered_json as well.)
template <typename AnyJson>
const AnyJson& member(const AnyJson& object, const char* key) {
  static const AnyJson kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

template <typename AnyJson>
std::string text(const AnyJson& value) {
  return value.is_string() ? value.template get<std::string>() : std::string();
}

// One step of an RFC 6901 pointer: ~ becomes ~0, / becomes ~1.
inline std::string escape_step(std::string_view step) {
  std::string out;
  for (const char c : step) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

inline Json operation(std::string_view op, std::string_view path, Json value) {
  return Json{{"op", op}, {"path", path}, {"value", std::move(value)}};
}
inline Json removal(std::string_view path) {
  return Json{{"op", "remove"}, {"path", path}};
}

// Applies RFC 6902 operations; what cannot be applied is refused with the operation that failed.
template <typename AnyJson>
AnyJson apply_patch(AnyJson document, const AnyJson& operations) {
  for (const AnyJson& each : operations) {
    const std::string path = text(member(each, "path"));
    const auto failed = [&](std::string_view why) {
      refuse(text(member(each, "op")) + " " + path + " does not apply: " + std::string(why));
    };
    try {
      const typename AnyJson::json_pointer pointer(path);
      // nlohmann takes it for granted that the parent can have members.
      if (!pointer.empty() && !document.at(pointer.parent_pointer()).is_structured()) {
        failed("its parent holds no members");
      }
      document.patch_inplace(AnyJson::array({each}));
    } catch (const nlohmann::json::exception& fault) {
      failed(fault.what());
    }
  }
  return document;
}

}  // namespace sdk_1
}  // namespace flotilla::sdk
