// SPDX-License-Identifier: Apache-2.0
// The three patch formats that are pure functions of a live document and a patch: JSON patch (RFC 6902, as
// lenient as the library that kube-apiserver uses), JSON merge patch (RFC 7386), strategic merge patch.
// Server-side apply is in apply.hpp.
//
// The result has not been decoded: unknown fields and wrong types are found by api::decode afterwards.
// Errors: BadRequest for what is no patch at all; Invalid without text for a JSON patch that does not apply;
// Internal with reason "Unknown" (Kubernetes answers 500 without a reason) for a strategic patch that does
// not fit the document.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/schema/schema.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

struct Patched {
  Json object;
  // For fieldValidation: json patch unknown field "[0].extra", duplicate field "data.a".
  std::vector<std::string> problems;
};

inline constexpr std::size_t kMaxJsonPatchOperations = 10000;

Result<Patched> json_patch(const Json& live, std::string_view patch);
Result<Patched> merge_patch(const Json& live, std::string_view patch);
Result<Patched> strategic_merge_patch(const Json& live, std::string_view patch, const Schema& schema);
// The merge alone, for a patch that is an object already.
Result<Json> strategic_merge(Json live, Json patch, const Schema& schema);

// What Go's decoder says of text that is no JSON: "unexpected end of JSON input", "invalid character ...".
std::string go_json_error(std::string_view text);
// An error that Kubernetes answers with 500 and no reason.
Error unknown_error(std::string message);

}  // namespace flotilla::api
