// SPDX-License-Identifier: Apache-2.0
// Override rule "field": changes values inside a text of the object that itself holds JSON or YAML, such as a
// configuration file in a ConfigMap.
#include <flotilla/sdk/json.hpp>
#include <flotilla/sdk/override.hpp>

#include <vector>

#include "yaml.hpp"

namespace flotilla::plugins::field {
namespace {

using sdk::Json;
using OrderedJson = nlohmann::ordered_json;

// As Go prints JSON: no spaces, and what HTML would act upon is escaped.
std::string print_json(const OrderedJson& value) {
  const std::string plain = value.dump();
  std::string out;
  out.reserve(plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    switch (plain[i]) {
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      default:
        if (plain.compare(i, 3, "\xE2\x80\xA8") == 0 || plain.compare(i, 3, "\xE2\x80\xA9") == 0) {
          out += plain[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
          i += 2;
        } else {
          out += plain[i];
        }
    }
  }
  return out;
}

Json operations_of(const Json& items) {
  Json operations = Json::array();
  for (const Json& item : items) {
    const std::string path = sdk::text(sdk::member(item, "subPath"));
    const std::string op = sdk::text(sdk::member(item, "operator"));
    operations.push_back(op == "remove" ? sdk::removal(path)
                                        : sdk::operation(op, path, sdk::member(item, "value")));
  }
  return operations;
}

}  // namespace

class FieldRule {
 public:
  static constexpr sdk::OverrideInfo kInfo = {
      .name = "field",
      .summary = "Changes values inside texts that hold JSON or YAML",
      .field = "fieldOverrider",
      .order = 600,
      .params_schema = R"({"type":"array","items":{"type":"object","required":["fieldPath"],"properties":{
"fieldPath":{"type":"string"},"json":{"$ref":"#/$defs/operations"},"yaml":{"$ref":"#/$defs/operations"}}},
"$defs":{"operations":{"type":"array","items":{"type":"object","required":["subPath","operator"],"properties":{
"subPath":{"type":"string"},"operator":{"enum":["add","remove","replace"]},"value":{}}}}}})"};

  explicit FieldRule(std::string_view params) {
    for (const Json& item : sdk::parse_json(params)) {
      steps_.push_back({sdk::text(sdk::member(item, "fieldPath")), operations_of(sdk::member(item, "json")),
                        operations_of(sdk::member(item, "yaml"))});
    }
  }

  std::string patch(std::string_view manifest) const {
    Json object = sdk::parse_json(manifest);
    Json operations = Json::array();
    for (const Step& step : steps_) {
      Json& field = field_at(object, step.path);
      field = revised(field.get_ref<const std::string&>(), step);
      operations.push_back(sdk::operation("replace", step.path, field));
    }
    return operations.dump();
  }

 private:
  struct Step {
    std::string path;
    Json json;
    Json yaml;
  };

  static Json& field_at(Json& object, const std::string& path) {
    try {
      Json& field = object.at(Json::json_pointer(path));
      if (!field.is_string())
        sdk::refuse("Get object's value by overrider's path(" + path + ") is not string");
      return field;
    } catch (const Json::exception& fault) {
      sdk::refuse("there is no value at fieldPath " + path + ": " + fault.what());
    }
  }

  static std::string revised(const std::string& text, const Step& step) {
    if (!step.yaml.empty()) return write_yaml(sdk::apply_patch(read_yaml(text), step.yaml));
    if (step.json.empty()) return "";
    try {
      // Members keep their order.
      return print_json(sdk::apply_patch(OrderedJson::parse(text), OrderedJson::parse(step.json.dump())));
    } catch (const nlohmann::json::exception& fault) {
      sdk::refuse("the text at " + step.path + " is not JSON: " + fault.what());
    }
  }

  std::vector<Step> steps_;
};

}  // namespace flotilla::plugins::field

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.override.field", "1.0.0", "Field overrider"}),
           &flotilla::sdk::override_component<flotilla::plugins::field::FieldRule>)
