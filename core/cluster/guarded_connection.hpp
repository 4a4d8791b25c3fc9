// SPDX-License-Identifier: Apache-2.0
// A connection that asks before each write whether this daemon may still write to members.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/cluster/cluster_driver.hpp"

namespace flotilla::cluster {

// Errors end the write before anything is sent. Thread: any.
using WriteGuard = std::function<Status()>;

class GuardedConnection final : public ClusterConnection {
 public:
  GuardedConnection(std::shared_ptr<ClusterConnection> inner, WriteGuard may_write)
      : inner_(std::move(inner)), may_write_(std::move(may_write)) {}

  Task<ProbeResult> probe() override { return inner_->probe(); }
  Task<Result<Discovery>> discover() override { return inner_->discover(); }
  Task<Result<Json>> get(Gvr resource, std::string ns, std::string name) override {
    return inner_->get(std::move(resource), std::move(ns), std::move(name));
  }
  Task<Result<MemberList>> list(Gvr resource, ListSelector selector) override {
    return inner_->list(std::move(resource), std::move(selector));
  }
  Task<Result<Json>> apply(Gvr resource, Json object, ApplyMode mode) override {
    if (Status may = may_write_(); !may) return refused<Result<Json>>(std::move(may));
    return inner_->apply(std::move(resource), std::move(object), mode);
  }
  Task<Status> remove(Gvr resource, std::string ns, std::string name, RemoveOptions options) override {
    if (Status may = may_write_(); !may) return refused<Status>(std::move(may));
    return inner_->remove(std::move(resource), std::move(ns), std::move(name), std::move(options));
  }
  Task<Result<std::unique_ptr<MemberWatch>>> watch(Gvr resource, ListSelector selector,
                                                   std::string resource_version) override {
    return inner_->watch(std::move(resource), std::move(selector), std::move(resource_version));
  }
  void close() override { inner_->close(); }

 private:
  template <typename R>
  static Task<R> refused(Status why) {
    co_return std::move(why).error();
  }

  const std::shared_ptr<ClusterConnection> inner_;
  const WriteGuard may_write_;
};

}  // namespace flotilla::cluster
