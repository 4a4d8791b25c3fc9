// SPDX-License-Identifier: Apache-2.0
// Short ways to write Cluster objects and bindings in tests.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/scheduler/cluster_table_builder.hpp"

namespace flotilla::scheduler {

inline api::Json parsed(std::string_view text) {
  return api::Json::parse(text).value();
}

// A healthy cluster that serves Deployments and has room.
inline api::Json cluster(std::string_view name, std::string_view region = "", std::string_view cpu = "100") {
  api::Json made = parsed(R"({"apiVersion":"cluster.karmada.io/v1alpha1","kind":"Cluster","status":{
    "apiEnablements":[{"groupVersion":"apps/v1","resources":[{"name":"deployments","kind":"Deployment"}]}],
    "conditions":[{"type":"Ready","status":"True"}],
    "resourceSummary":{"allocatable":{"memory":"100Gi","pods":"1000"}}}})");
  made.make({"metadata", "name"}) = name;
  if (!region.empty()) made.make({"spec", "region"}) = region;
  made.make({"status", "resourceSummary", "allocatable", "cpu"}) = cpu;
  return made;
}

inline ClusterTablePtr table_of(const std::vector<api::Json>& clusters) {
  return make_cluster_table(clusters);
}

inline std::vector<std::string> names_of(const ClusterTable& table, const RowSet& rows) {
  std::vector<std::string> names;
  rows.for_each([&](Row row) { names.emplace_back(table.name(row)); });
  return names;
}

}  // namespace flotilla::scheduler
