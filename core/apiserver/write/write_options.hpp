// SPDX-License-Identifier: Apache-2.0
// What a write's query and body say before anything is looked at: options, content type, text.
#pragma once

#include <functional>
#include <string>

#include "core/api/write/write.hpp"
#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

struct RequestOptions {
  bool dry_run = false;
  api::WriteOptions write;
};

enum class PatchKind { Json, Merge, Strategic, Apply };

// `options_kind`: CreateOptions, UpdateOptions, PatchOptions. Errors: Invalid.
Result<RequestOptions> read_write_options(Server& server, const Call& call, std::string_view options_kind,
                                          bool is_apply = false);

struct Body {
  Json json;
  api::DuplicateKeys duplicates;
};
// JSON, or YAML where the server can read it. Errors: UnsupportedMedia, BadRequest.
Result<Body> read_body(const Server& server, const Call& call);
// Errors: UnsupportedMedia.
Result<PatchKind> patch_kind(const Call& call);

std::string new_uid();
std::string random_suffix();

}  // namespace flotilla::apiserver
