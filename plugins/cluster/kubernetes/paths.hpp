// SPDX-License-Identifier: Apache-2.0
// The REST paths of the Kubernetes API.
#pragma once

#include <flotilla/abi/driver.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flotilla::kubernetes {

std::string encode(std::string_view segment);
// "/apis/apps/v1/namespaces/a/deployments/b"; without name: the collection; without resource: what there is.
std::string path_of(const flt_gvr_t& gvr, std::string_view ns, std::string_view name = {});

class Query {
 public:
  // Nothing is added when the value is empty.
  Query& add(std::string_view key, std::string_view value);
  std::string append_to(std::string path) const;

 private:
  std::string text_;
};

}  // namespace flotilla::kubernetes
