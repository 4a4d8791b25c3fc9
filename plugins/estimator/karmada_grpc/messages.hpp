// SPDX-License-Identifier: Apache-2.0
// From the JSON of bindings to the messages of Karmada's estimators.
#pragma once

#include <flotilla/sdk/estimator.hpp>

#include <string_view>

#include "estimator.pb.h"

namespace flotilla::estimator {

namespace pb = ::github::com::karmada_io::karmada::pkg::estimator::pb;

// All but the cluster and what is assumed there. Throw sdk::Failure where the JSON is none.
pb::MaxAvailableReplicasRequest replicas_request(const sdk::RoomRequest& request);
pb::MaxAvailableComponentSetsRequest sets_request(const sdk::RoomRequest& request);
pb::UnschedulableReplicasRequest unschedulable_request(const sdk::UnschedulableRequest& request);

// Adds one message per workload of the JSON list.
void add_assumed(std::string_view json, google::protobuf::RepeatedPtrField<pb::AssumedWorkload>& into);

}  // namespace flotilla::estimator
