// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flotilla::plugins::storage {

struct SqliteOptions {
  std::string path;                       // absolute
  std::int64_t cache_mib = 8;             // of pages, beside what the kernel keeps
  std::int64_t history_revisions = 1000;  // that range still knows
};

inline constexpr const char* kSqliteSchema =
    R"({"type":"object","additionalProperties":false,"properties":{
"path":{"type":"string","minLength":1,"description":"database file; flotilla.db in the state directory when absent"},
"cacheMiB":{"type":"integer","minimum":1,"maximum":4096,"default":8,"description":"memory for pages"},
"historyRevisions":{"type":"integer","minimum":0,"maximum":1000000,"default":1000,
"description":"how many past revisions are kept beside the current state"}}})";

// Throws Failure. `state_dir` is where the file lies when the configuration names none.
SqliteOptions parse_options(std::string_view config_json, std::string_view state_dir);

}  // namespace flotilla::plugins::storage
