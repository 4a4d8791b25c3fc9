// SPDX-License-Identifier: Apache-2.0
// Versions of custom resources that a webhook converts (k8s-api 9.7): objects are converted before an answer
// is put together, so that putting it together waits for nobody.
#pragma once

#include "core/apiserver/call.hpp"
#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// Of spec.conversion; null where the strategy is None.
std::shared_ptr<const ConversionWebhook> read_conversion(const Json& crd);

// Whether this call's objects may have to be converted by a webhook at all; what follows is only for those.
bool converts(const Call& call);
// From here on present() knows these objects in the call's version. Errors: the webhook's, as Kubernetes
// words them.
Task<Status> convert_ahead(ServerPtr server, CallPtr call, std::vector<ObjectPtr> objects);
// What a webhook made of the object for this call; null where it has not been asked.
const Json* converted_form(const Call& call, const api::Object& object);
// Of an object in the call's version, what is stored.
Task<Result<Json>> convert_for_store(ServerPtr server, CallPtr call, Json object);

}  // namespace flotilla::apiserver
