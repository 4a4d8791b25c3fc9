// SPDX-License-Identifier: Apache-2.0
// The parts of admission that may have to wait for somebody else, around the pure pipeline of a write:
//
//   built-in plugins -> mutating webhooks -> [schema, strategy, validation]
//     -> admission policies -> validating webhooks -> quota
//
// Ask first: where nobody is configured the answer is no at the price of a few loads, and nothing is built.
#pragma once

#include "core/apiserver/admission/attributes.hpp"
#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {

bool has_late_mutation(const Server& server);
bool has_late_validation(const Server& server, const Call& call);

// What the later parts are told of a write.
AttributesPtr attributes_of_write(const Call& call, Verb verb, const Json& object, const Json& old_object,
                                  const RequestOptions& options);
// Of a subresource whose body is an object of its own: Eviction, Binding, TokenRequest, PodExecOptions.
AttributesPtr attributes_of_body(const Call& call, Verb verb, const Json& body, bool dry_run);

// PodExecOptions and its like, as a CONNECT request's query says them.
Json connect_options(const Call& call);

// Changes attributes->object. Errors: what the client is answered.
Task<Status> admit_late_mutation(ServerPtr server, CallPtr call, AttributesPtr attributes);
Task<Status> admit_late_validation(ServerPtr server, CallPtr call, AttributesPtr attributes);
// Both, for what is not stored.
Task<Status> admit_body(ServerPtr server, CallPtr call, Verb verb, Json body, bool dry_run);

}  // namespace flotilla::apiserver
