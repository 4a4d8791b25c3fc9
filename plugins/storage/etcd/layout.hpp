// SPDX-License-Identifier: Apache-2.0
// Where a fleet's keys lie in etcd:
//
//   PREFIX data/ KEY          what the host stores
//   PREFIX meta/progress      written for its revision alone; behind all data, so that a watch of the data
//   that
//                             is a little longer sees it in its place
#pragma once

#include <string>
#include <string_view>

namespace flotilla::plugins::storage::etcd {

class Layout {
 public:
  explicit Layout(const std::string& prefix) : data_(prefix + "data/"), mark_(prefix + "meta/progress") {}

  std::string key(std::string_view host) const { return data_ + std::string(host); }
  std::string_view host(std::string_view stored) const { return stored.substr(data_.size()); }
  const std::string& mark() const { return mark_; }

 private:
  std::string data_;
  std::string mark_;
};

}  // namespace flotilla::plugins::storage::etcd
