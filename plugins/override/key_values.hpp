// SPDX-License-Identifier: Apache-2.0
// What the rules "labels" and "annotations" have in common: they add, replace or remove entries of a map of
// texts in the metadata of the object itself (not of its pod template).
#pragma once

#include <flotilla/sdk/json.hpp>
#include <flotilla/sdk/override.hpp>

#include <vector>

namespace flotilla::plugins {
inline constexpr const char* kKeyValuesSchema =
    R"({"type":"array","items":{"type":"object","required":["operator","value"],"properties":{
"operator":{"enum":["add","remove","replace"]},
"value":{"type":"object","additionalProperties":{"type":"string"}}}}})";

class KeyValues {
 public:
  KeyValues(const char* field, std::string_view params) : field_(field) {
    for (const sdk::Json& item : sdk::parse_json(params)) {
      if (!sdk::member(item, "value").is_object()) continue;
      steps_.push_back({sdk::text(sdk::member(item, "operator")), item["value"]});
    }
  }

  std::string patch(std::string_view manifest) const {
    const sdk::Json object = sdk::parse_json(manifest);
    sdk::Json map = sdk::member(sdk::member(object, "metadata"), field_);
    const std::string root = std::string("/metadata/") + field_;
    sdk::Json operations = sdk::Json::array();
    for (const Step& step : steps_) {
      for (const auto& [key, value] : step.value.items()) {
        const std::string path = root + "/" + sdk::escape_step(key);
        if (step.op == "add") {
          if (!map.is_object()) {
            map = sdk::Json::object();
            operations.push_back(sdk::operation("add", root, map));
          }
          map[key] = value;
          operations.push_back(sdk::operation("add", path, value));
        } else if (map.is_object() && map.contains(key)) {
          const bool replaces = step.op == "replace";
          operations.push_back(replaces ? sdk::operation("replace", path, value) : sdk::removal(path));
          if (!replaces) map.erase(key);
        }
      }
    }
    return operations.dump();
  }

 private:
  struct Step {
    std::string op;
    sdk::Json value;
  };

  const char* field_;
  std::vector<Step> steps_;
};

}  // namespace flotilla::plugins
