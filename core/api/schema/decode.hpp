// SPDX-License-Identifier: Apache-2.0
// From a request's JSON to the object that Kubernetes would hold after decoding it: unknown fields found and
// dropped, wrong types refused, and for typed kinds everything in the form in which Go writes it again.
//
// Typed kinds: null and empty optional members go, empty structs and zero scalars that Go always writes come
// (status: {}, creationTimestamp: null), quantities and times get their canonical form.
// Custom resources: only metadata is treated so, the rest is merely pruned (k8s-api 9.4).
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/schema/schema.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

struct Decoded {
  Json object;
  // What fieldValidation=Strict refuses and Warn reports: unknown field "spec.nofield",
  // duplicate field "data.a".
  std::vector<std::string> problems;
};

struct DecodeOptions {
  bool typed = true;
  // From Json::parse; may be null.
  const DuplicateKeys* duplicates = nullptr;
};

// Errors: BadRequest, worded as Go's decoder does: json: cannot unmarshal string into Go struct field
// DeploymentSpec.spec.replicas of type int32.
Result<Decoded> decode(const Schema& schema, Json body, const DecodeOptions& options);

// Only the canonical form of a typed value; for parts that code has put together. Wrong types are left alone.
void normalise(const Schema& schema, Json& value);

// "strict decoding error: unknown field \"a\", unknown field \"b\"".
std::string strict_decoding_error(const std::vector<std::string>& problems);

}  // namespace flotilla::api
