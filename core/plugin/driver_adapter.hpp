// SPDX-License-Identifier: Apache-2.0
// A plugin instance of kind flotilla.driver/1 as core/cluster sees it.
#pragma once

#include <memory>

#include "core/cluster/cluster_driver.hpp"
#include "core/plugin/instance.hpp"

namespace flotilla::plugin {

struct DriverLimits {
  Duration operation = std::chrono::seconds(32);  // a little more than drivers give their own requests
  Duration probe = std::chrono::seconds(10);
  Duration list = std::chrono::minutes(2);
  std::int64_t watch_credit = 1024;  // events under way per watch
};

// Holds the instance; connections hold it too. Errors: Unsupported when the driver has no object operations.
Result<std::shared_ptr<cluster::ClusterDriver>> adapt_driver(std::shared_ptr<Instance> instance,
                                                             DriverLimits limits = {});

}  // namespace flotilla::plugin
