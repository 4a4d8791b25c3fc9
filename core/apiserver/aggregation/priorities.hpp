// SPDX-License-Identifier: Apache-2.0
// In which order clients find groups and versions, where nobody said otherwise (k8s-api 1.2).
#pragma once

#include <string_view>

namespace flotilla::apiserver {

struct Priority {
  int group = 1000;
  int version = 100;
};

// Of a CustomResourceDefinition where the table has no such group.
Priority priority_of(std::string_view group, std::string_view version);

}  // namespace flotilla::apiserver
