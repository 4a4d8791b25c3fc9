// SPDX-License-Identifier: Apache-2.0
// Override rule "command": adds words to the command of a container, or removes them.
#include <flotilla/sdk/override.hpp>

#include "../command_line.hpp"

namespace flotilla::plugins::command {

class CommandRule {
 public:
  static constexpr sdk::OverrideInfo kInfo = {.name = "command",
                                              .summary = "Adds to or removes from the command of a container",
                                              .field = "commandOverrider",
                                              .order = 200,
                                              .params_schema = kCommandLineSchema};

  explicit CommandRule(std::string_view params) : line_("command", params) {}
  std::string patch(std::string_view manifest) const { return line_.patch(manifest); }

 private:
  CommandLine line_;
};

}  // namespace flotilla::plugins::command

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.override.command", "1.0.0", "Command overrider"}),
           &flotilla::sdk::override_component<flotilla::plugins::command::CommandRule>)
