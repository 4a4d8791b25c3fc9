// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <flotilla/sdk/plugin.hpp>

#include <nlohmann/json.hpp>

namespace flotilla::plugins::storage {

SqliteOptions parse_options(std::string_view config_json, std::string_view state_dir) {
  const auto config = nlohmann::json::parse(config_json, nullptr, false);
  if (!config.is_object()) throw sdk::Failure(FLT_INVALID_ARGUMENT, "the configuration is not a JSON object");
  SqliteOptions options;
  try {
    options.path = config.value("path", std::string());
    options.cache_mib = config.value("cacheMiB", options.cache_mib);
    options.history_revisions = config.value("historyRevisions", options.history_revisions);
  } catch (const nlohmann::json::exception& error) {
    throw sdk::Failure(FLT_INVALID_ARGUMENT, std::string("configuration: ") + error.what());
  }
  const std::string folder(state_dir);
  if (options.path.empty()) options.path = "flotilla.db";
  if (options.path.front() == '/') return options;
  if (folder.empty())
    throw sdk::Failure(FLT_INVALID_ARGUMENT, "path: must be absolute, there is no state directory");
  options.path = folder + "/" + options.path;
  return options;
}

}  // namespace flotilla::plugins::storage
