// SPDX-License-Identifier: Apache-2.0
// What the rules "command" and "args" have in common: they add words to, or remove words from, a list of
// texts of the container of a given name.
#pragma once

#include <flotilla/sdk/json.hpp>
#include <flotilla/sdk/override.hpp>

#include <algorithm>
#include <vector>

#include "containers.hpp"

namespace flotilla::plugins {
inline constexpr const char* kCommandLineSchema =
    R"({"type":"array","items":{"type":"object","required":["containerName","operator"],"properties":{
"containerName":{"type":"string"},"operator":{"enum":["add","remove"]},
"value":{"type":"array","items":{"type":"string"}}}}})";

class CommandLine {
 public:
  CommandLine(const char* field, std::string_view params) : field_(field) {
    for (const sdk::Json& item : sdk::parse_json(params)) {
      Step step{sdk::text(sdk::member(item, "containerName")), sdk::text(sdk::member(item, "operator")),
                sdk::Json::array()};
      if (sdk::member(item, "value").is_array()) step.value = item["value"];
      steps_.push_back(std::move(step));
    }
  }

  std::string patch(std::string_view manifest) const {
    sdk::Json object = sdk::parse_json(manifest);
    const Containers containers = containers_of(object);
    sdk::Json operations = sdk::Json::array();
    for (const Step& step : steps_) {
      for (std::size_t i = 0; i < containers.list().size(); ++i) {
        sdk::Json& container = (*containers.mutable_list())[i];
        if (sdk::text(sdk::member(container, "name")) != step.container) continue;
        const bool present = sdk::member(container, field_).is_array();
        sdk::Json& words = container[field_];
        words = revised(present ? words : sdk::Json::array(), step);
        operations.push_back(
            sdk::operation(present ? "replace" : "add", containers.path(i) + "/" + field_, words));
      }
    }
    return operations.dump();
  }

 private:
  struct Step {
    std::string container;
    std::string op;
    sdk::Json value;
  };

  static sdk::Json revised(sdk::Json words, const Step& step) {
    if (step.op == "add") {
      words.insert(words.end(), step.value.begin(), step.value.end());
      return words;
    }
    sdk::Json kept = sdk::Json::array();
    for (const sdk::Json& word : words) {
      if (std::find(step.value.begin(), step.value.end(), word) == step.value.end()) kept.push_back(word);
    }
    return kept;
  }

  const char* field_;
  std::vector<Step> steps_;
};

}  // namespace flotilla::plugins
