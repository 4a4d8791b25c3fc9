// SPDX-License-Identifier: Apache-2.0
// EndpointSlices that were reported from members: Works that record them, and who keeps each record. A record
// may be kept for a MultiClusterService, for a ServiceExport, or for both.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::api {

inline constexpr std::string_view kSliceVersion = "discovery.k8s.io/v1";
inline constexpr std::string_view kSliceKind = "EndpointSlice";
// On a slice: its service, and who made it.
inline constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";
inline constexpr std::string_view kSliceManagedByLabel = "endpointslice.kubernetes.io/managed-by";
// Slices that Karmada put into a member, and those it made here of what members reported.
inline constexpr std::string_view kDispatchedSlice = "endpointslice-dispatch-controller.karmada.io";
inline constexpr std::string_view kImportedSlice = "endpointslice-controller.karmada.io";

// The label selector of slices of services that are the member's own.
std::string own_slices_selector();

// Why a slice is collected, with the labels and the finalizer that go with it.
struct SliceKeeper {
  std::string_view name;  // in the label endpointslice.karmada.io/managed-by
  std::string_view namespace_label, name_label, finalizer;
};
extern const SliceKeeper kServiceKeeper;  // MultiClusterService
extern const SliceKeeper kExportKeeper;   // ServiceExport

// The Work that records a slice of `cluster`; `known` is the one there is, or null.
Json collected_work(const Json& slice, const std::string& cluster, const SliceKeeper& keeper,
                    const Json& known);
// The keeper lets go. True: somebody else keeps it, and it was relabelled; false: it is to be deleted.
bool release_collected(Json& work, const SliceKeeper& keeper);
// A record of a member's own slice, not one on its way to a member.
bool is_collected_slice(const Json& work);

}  // namespace flotilla::api
