// SPDX-License-Identifier: Apache-2.0
// Override rule "annotations": adds, replaces or removes annotations of the object.
#include <flotilla/sdk/override.hpp>

#include "../key_values.hpp"

namespace flotilla::plugins::annotations {

class AnnotationsRule {
 public:
  static constexpr sdk::OverrideInfo kInfo = {
      .name = "annotations",
      .summary = "Adds, replaces or removes annotations of the object",
      .field = "annotationsOverrider",
      .order = 500,
      .params_schema = kKeyValuesSchema};

  explicit AnnotationsRule(std::string_view params) : map_("annotations", params) {}
  std::string patch(std::string_view manifest) const { return map_.patch(manifest); }

 private:
  KeyValues map_;
};

}  // namespace flotilla::plugins::annotations

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.override.annotations", "1.0.0", "Annotations overrider"}),
           &flotilla::sdk::override_component<flotilla::plugins::annotations::AnnotationsRule>)
