// SPDX-License-Identifier: Apache-2.0
// What `kubectl get` shows: the columns of a kind and the cells of an object (k8s-api 7). Built-in kinds have
// a rule per column in config/schema/columns.txt, custom resources a JSONPath.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/schema/registry.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api {

std::vector<PrinterColumn> table_columns(const Resource& resource);
// An array, one cell per column.
Json table_cells(const Resource& resource, const std::vector<PrinterColumn>& columns, const Json& object,
                 WallTime now);
// A row's conditions (pods that have ended); null when there are none.
Json table_conditions(const Resource& resource, const Json& object);

// "3d4h", "5m", "<invalid>".
std::string human_duration(Duration duration);
// The age of a timestamp, "<unknown>" where there is none.
std::string age_of(const Json& timestamp, WallTime now);

}  // namespace flotilla::api
