// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/api/json.hpp"
#include "core/base/result.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/reconcile/event_recorder.hpp"

namespace flotilla::controllers {

// What Work.status.manifestStatuses says of one manifest, given its object in the member:
// {identifier, status?, health}. Errors: what interpreting the status said. A health that cannot be
// interpreted is Unknown, and `health_fault` says why.
Result<api::Json> manifest_status(const interpreter::Interpreter& interpreter, const api::Json& manifest,
                                  std::int64_t ordinal, const api::Json& observed,
                                  std::optional<Error>* health_fault = nullptr);

// Events on the Work: what became of reading the status of one of its manifests. `entry` as above, `before`
// what was known of it (null: nothing); equal health is no news.
void tell_manifest_status(reconcile::EventRecorder& events, const api::Json& work, const api::Json& manifest,
                          const Result<api::Json>& entry, const std::optional<Error>& health_fault,
                          const api::Json& before);

}  // namespace flotilla::controllers
