// SPDX-License-Identifier: Apache-2.0
// The policies that come with Flotilla, through the plugin ABI but without files: for tests and benchmarks.
#pragma once

#include <memory>

#include "core/scheduler/policy.hpp"

namespace flotilla::fakes {

class InTreePolicies {
 public:
  InTreePolicies();
  ~InTreePolicies();
  InTreePolicies(const InTreePolicies&) = delete;
  InTreePolicies& operator=(const InTreePolicies&) = delete;

  scheduler::Policies& operator*() { return policies_; }

 private:
  struct Host;
  std::unique_ptr<Host> host_;
  scheduler::Policies policies_;
};

}  // namespace flotilla::fakes
