// SPDX-License-Identifier: Apache-2.0
#include "core/api/collected_slice.hpp"

#include <set>

#include "core/api/karmada.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/api/wrap_manifest.hpp"

namespace flotilla::api {

const SliceKeeper kServiceKeeper{"MultiClusterService", labels::kMultiClusterServiceNamespace,
                                 labels::kMultiClusterServiceName, finalizers::kEndpointSliceDispatch};
const SliceKeeper kExportKeeper{"ServiceExport", labels::kEndpointSliceNamespace, labels::kEndpointSliceName,
                                finalizers::kEndpointSlice};

namespace {

std::set<std::string> keepers_of(const Json& work) {
  std::set<std::string> keepers;
  std::string_view text = label_of(work, labels::kEndpointSliceManagedBy);
  while (!text.empty()) {
    const auto dot = text.find('.');
    keepers.emplace(text.substr(0, dot));
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  return keepers;
}

std::string joined(const std::set<std::string>& keepers) {
  std::string text;
  for (const std::string& keeper : keepers) text += (text.empty() ? "" : ".") + keeper;
  return text;
}

}  // namespace

std::string own_slices_selector() {
  return std::string(kServiceNameLabel) + "," + std::string(kSliceManagedByLabel) + " notin (" +
         std::string(kDispatchedSlice) + "," + std::string(kImportedSlice) + ")";
}

Json collected_work(const Json& slice, const std::string& cluster, const SliceKeeper& keeper,
                    const Json& known) {
  std::set<std::string> keepers = keepers_of(known);
  keepers.emplace(keeper.name);
  WorkFrame frame;
  frame.cluster = cluster;
  frame.labels = Json::object({{keeper.namespace_label, namespace_of(slice)},
                               {keeper.name_label, label_of(slice, kServiceNameLabel)},
                               {labels::kEndpointSliceManagedBy, joined(keepers)}});
  std::set<std::string> holds = {std::string(keeper.finalizer)};
  for (const Json& finalizer : known["metadata"]["finalizers"].elements())
    holds.emplace(finalizer.as_string());
  frame.finalizers.assign(holds.begin(), holds.end());
  frame.suspended = true;
  Json manifest = slice;
  manifest.set("apiVersion", kSliceVersion);
  manifest.set("kind", kSliceKind);
  return wrap_manifest(std::move(manifest), frame);
}

bool release_collected(Json& work, const SliceKeeper& keeper) {
  std::set<std::string> keepers = keepers_of(work);
  keepers.erase(std::string(keeper.name));
  if (keepers.empty()) return false;
  Json& marks = work.make({"metadata", "labels"});
  marks.erase(keeper.namespace_label);
  marks.erase(keeper.name_label);
  marks.set(labels::kEndpointSliceManagedBy, joined(keepers));
  return true;
}

bool is_collected_slice(const Json& work) {
  return contains_kind(work, kSliceVersion, kSliceKind) &&
         annotation_of(work, annotations::kProvisionCluster).empty();
}

}  // namespace flotilla::api
