// SPDX-License-Identifier: Apache-2.0
// The files that say who may do what and what is written down about it: tokens, audit policy, encryption
// keys.
#pragma once

#include <string>
#include <vector>

#include "core/apiserver/api_server.hpp"
#include "core/config/settings.hpp"
#include "core/store/store.hpp"

namespace flotilla::daemon {

// A YAML or JSON file. Errors: Invalid with its name, and the line.
Result<api::Json> read_document(const std::string& path);
// What the settings say of authentication, admission, overload and audit. Errors: Invalid with the file.
Status apply_security(const config::Settings& settings, const std::string& data_dir,
                      apiserver::ApiServerOptions& options);
// Writes what is stored under these keys once more as it is. The answer: how many.
Task<Result<std::size_t>> rewrite_values(store::Store& store, std::vector<std::string> places);

}  // namespace flotilla::daemon
