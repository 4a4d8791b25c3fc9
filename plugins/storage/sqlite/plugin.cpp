// SPDX-License-Identifier: Apache-2.0
// Storage backend "sqlite": one file, one writer, every answered commit on disk.
#include "engine.hpp"

namespace flotilla::plugins::storage {
namespace {

class SqliteBackend final : public SqliteEngine {
 public:
  static constexpr sdk::StorageInfo kInfo = {
      .name = "sqlite",
      .summary = "Keeps everything in one SQLite file; an answered write is on disk",
      .config_schema = kSqliteSchema};
  using SqliteEngine::SqliteEngine;
};

}  // namespace
}  // namespace flotilla::plugins::storage

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.storage.sqlite", "1.0.0", "SQLite storage"}),
           &flotilla::sdk::storage_component<flotilla::plugins::storage::SqliteBackend>)
