// SPDX-License-Identifier: Apache-2.0
// An override rule: `overriders: {helloOverrider: "good morning"}` annotates the object.
#include <flotilla/sdk/override.hpp>

namespace {

namespace sdk = flotilla::sdk;

class HelloOverride {
 public:
  static constexpr sdk::OverrideInfo kInfo = {.name = "hello_override",
                                              .summary = "Annotates objects with a greeting",
                                              .field = "helloOverrider",
                                              .order = 1000,
                                              .params_schema = R"({"type":"string","minLength":1})"};

  explicit HelloOverride(std::string_view params) : greeting_(params) {
    if (greeting_.size() < 3)
      throw sdk::Failure(FLT_INVALID_ARGUMENT, "helloOverrider: a greeting is needed");
  }

  // A merge patch of what is the same for every cluster. The greeting is a JSON text already.
  void apply(const sdk::OverrideRequest&, sdk::OverridePatches& out) const {
    out.add(FLT_PATCH_MERGE, R"({"metadata":{"annotations":{"example.org/hello":)" + greeting_ + "}}}");
  }

 private:
  std::string greeting_;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "org.example.hello_override", .version = "1.0.0", .name = "Hello override"}),
           &flotilla::sdk::override_component<HelloOverride>)
