// SPDX-License-Identifier: Apache-2.0
// Override rule "labels": adds, replaces or removes labels of the object.
#include <flotilla/sdk/override.hpp>

#include "../key_values.hpp"

namespace flotilla::plugins::labels {

class LabelsRule {
 public:
  static constexpr sdk::OverrideInfo kInfo = {.name = "labels",
                                              .summary = "Adds, replaces or removes labels of the object",
                                              .field = "labelsOverrider",
                                              .order = 400,
                                              .params_schema = kKeyValuesSchema};

  explicit LabelsRule(std::string_view params) : map_("labels", params) {}
  std::string patch(std::string_view manifest) const { return map_.patch(manifest); }

 private:
  KeyValues map_;
};

}  // namespace flotilla::plugins::labels

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.override.labels", "1.0.0", "Labels overrider"}),
           &flotilla::sdk::override_component<flotilla::plugins::labels::LabelsRule>)
