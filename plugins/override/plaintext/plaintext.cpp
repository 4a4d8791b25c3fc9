// SPDX-License-Identifier: Apache-2.0
// Override rule "plaintext": changes values at paths, as one JSON Patch.
#include <flotilla/sdk/json.hpp>
#include <flotilla/sdk/override.hpp>

namespace flotilla::plugins::plaintext {

using sdk::Json;

class PlaintextRule {
 public:
  static constexpr sdk::OverrideInfo kInfo = {
      .name = "plaintext",
      .summary = "Changes values at paths of the object",
      .field = "plaintext",
      .order = 700,
      .params_schema =
          R"({"type":"array","items":{"type":"object","required":["path","operator"],"properties":{
"path":{"type":"string"},"operator":{"enum":["add","remove","replace"]},"value":{}}}})"};

  explicit PlaintextRule(std::string_view params) {
    Json operations = Json::array();
    for (const Json& item : sdk::parse_json(params)) {
      const std::string path = sdk::text(sdk::member(item, "path"));
      const std::string op = sdk::text(sdk::member(item, "operator"));
      operations.push_back(op == "remove" ? sdk::removal(path)
                                          : sdk::operation(op, path, sdk::member(item, "value")));
    }
    patch_ = operations.dump();
  }

  std::string patch(std::string_view) const { return patch_; }

 private:
  std::string patch_;
};

}  // namespace flotilla::plugins::plaintext

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.override.plaintext", "1.0.0", "Plaintext overrider"}),
           &flotilla::sdk::override_component<flotilla::plugins::plaintext::PlaintextRule>)
