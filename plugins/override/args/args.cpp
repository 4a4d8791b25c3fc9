// SPDX-License-Identifier: Apache-2.0
// Override rule "args": adds words to the arguments of a container's command, or removes them.
#include <flotilla/sdk/override.hpp>

#include "../command_line.hpp"

namespace flotilla::plugins::args {

class ArgsRule {
 public:
  static constexpr sdk::OverrideInfo kInfo = {
      .name = "args",
      .summary = "Adds to or removes from the arguments of a container's command",
      .field = "argsOverrider",
      .order = 300,
      .params_schema = kCommandLineSchema};

  explicit ArgsRule(std::string_view params) : line_("args", params) {}
  std::string patch(std::string_view manifest) const { return line_.patch(manifest); }

 private:
  CommandLine line_;
};

}  // namespace flotilla::plugins::args

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.override.args", "1.0.0", "Args overrider"}),
           &flotilla::sdk::override_component<flotilla::plugins::args::ArgsRule>)
