// SPDX-License-Identifier: Apache-2.0
// Override rule "image": changes registry, repository or tag of container images.
//
// Without a predicate it speaks of all containers (never the init containers) of the workloads it knows; with
// one, of the one text at that path, in any kind.
#include <flotilla/sdk/json.hpp>
#include <flotilla/sdk/override.hpp>

#include <charconv>
#include <vector>

#include "../containers.hpp"
#include "reference.hpp"

namespace flotilla::plugins::image {

using sdk::Json;

class ImageRule {
 public:
  static constexpr sdk::OverrideInfo kInfo = {
      .name = "image",
      .summary = "Changes registry, repository or tag of container images",
      .field = "imageOverrider",
      .order = 100,
      .params_schema =
          R"({"type":"array","items":{"type":"object","required":["component","operator"],"properties":{
"predicate":{"type":"object","required":["path"],"properties":{"path":{"type":"string"}}},
"component":{"enum":["Registry","Repository","Tag"]},"operator":{"enum":["add","remove","replace"]},
"value":{"type":"string"}}}})"};

  explicit ImageRule(std::string_view params) {
    for (const Json& item : sdk::parse_json(params)) {
      Step step{sdk::text(sdk::member(sdk::member(item, "predicate"), "path")),
                sdk::text(sdk::member(item, "component")), sdk::text(sdk::member(item, "operator")),
                sdk::text(sdk::member(item, "value")), sdk::member(item, "predicate").is_object()};
      if (step.at_path && !step.path.starts_with('/'))
        sdk::refuse("imagePath should be start with / character");
      steps_.push_back(std::move(step));
    }
  }

  std::string patch(std::string_view manifest) const {
    Json object = sdk::parse_json(manifest);
    Json operations = Json::array();
    for (const Step& step : steps_) {
      if (step.at_path) {
        revise(text_at(object, step.path), step, step.path, operations);
        continue;
      }
      const Containers containers = containers_of(object);
      for (std::size_t i = 0; i < containers.list().size(); ++i) {
        Json& image = (*containers.mutable_list())[i]["image"];
        revise(image, step, containers.path(i) + "/image", operations);
      }
    }
    return operations.dump();
  }

 private:
  struct Step {
    std::string path;
    std::string component;
    std::string op;
    std::string value;
    bool at_path = false;
  };

  static void revise(Json& image, const Step& step, const std::string& path, Json& operations) {
    Reference reference;
    if (!Reference::parse(sdk::text(image), reference)) {
      sdk::refuse("failed to parse image value(" + sdk::text(image) + "), error: invalid reference format");
    }
    if (step.component == "Registry") {
      change(reference.registry, step);
    } else if (step.component == "Repository") {
      change(reference.repository, step);
    } else if (step.op == "add") {
      reference.set_tag_or_digest(reference.tag_or_digest() + step.value);
    } else if (step.op == "replace") {
      reference.set_tag_or_digest(step.value);
    } else {
      reference.tag.clear();
      reference.digest.clear();
    }
    image = reference.to_string();
    operations.push_back(sdk::operation("replace", path, image));
  }

  static void change(std::string& part, const Step& step) {
    if (step.op == "add") {
      part += step.value;
    } else if (step.op == "replace") {
      part = step.value;
    } else {
      part.clear();
    }
  }

  // Walks members and list indexes.
  static Json& text_at(Json& object, const std::string& path) {
    const auto missing = [&](std::string_view why) {
      sdk::refuse("failed to obtain imageValue with predicate path(" + path +
                  "), error: " + std::string(why));
    };
    Json* here = &object;
    std::string_view rest = path;
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string step(rest.substr(0, rest.find('/')));
      rest.remove_prefix(step.size());
      if (here->is_object()) {
        const auto found = here->find(step);
        if (found == here->end()) missing("there is no " + step);
        here = &*found;
      } else if (here->is_array()) {
        std::size_t index = 0;
        const auto [end, failure] = std::from_chars(step.data(), step.data() + step.size(), index);
        const bool number = failure == std::errc() && end == step.data() + step.size();
        if (!number || index >= here->size()) missing("there is no element " + step);
        here = &(*here)[index];
      } else {
        missing(step + " is asked of what is neither object nor list");
      }
    }
    if (!here->is_string()) missing("its value is no string");
    return *here;
  }

  std::vector<Step> steps_;
};

}  // namespace flotilla::plugins::image

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.override.image", "1.0.0", "Image overrider"}),
           &flotilla::sdk::override_component<flotilla::plugins::image::ImageRule>)
