// SPDX-License-Identifier: Apache-2.0
// A driver plugin, linked in and adopted, behind the adapter that the daemon uses.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/cluster/cluster_driver.hpp"
#include "core/plugin/driver_adapter.hpp"
#include "tests/fakes/fibers.hpp"

namespace flotilla::cluster::test {

using namespace std::chrono_literals;

class DriverFixture : public ::testing::Test {
 protected:
  void open(const flt_plugin_v1_t& plugin, Json config = Json()) {
    plugin::InstanceOptions options;
    options.config = std::move(config);
    auto instance = plugin::Instance::create(environment_, *plugin.components[0], std::move(options));
    ASSERT_TRUE(instance.ok()) << instance.error().message();
    auto driver = plugin::adapt_driver(*std::move(instance));
    ASSERT_TRUE(driver.ok()) << driver.error().message();
    driver_ = *std::move(driver);
  }
  std::shared_ptr<ClusterConnection> connect(ClusterEndpoint endpoint) {
    auto connected = driver_->connect(std::move(endpoint));
    EXPECT_TRUE(connected.ok()) << (connected.ok() ? "" : connected.error().message());
    return connected.ok() ? *std::move(connected) : nullptr;
  }
  template <typename T>
  T run(Task<T> task) {
    return fakes::run_on(executor_, std::move(task));
  }
  static Json json(std::string_view text) {
    auto parsed = Json::parse(text);
    EXPECT_TRUE(parsed.ok()) << text;
    return parsed.ok() ? *std::move(parsed) : Json();
  }

  SystemClock clock_;
  Executor executor_{clock_};
  plugin::HostEnvironment environment_{executor_, "flotilla test"};
  std::shared_ptr<ClusterDriver> driver_;
};

}  // namespace flotilla::cluster::test
