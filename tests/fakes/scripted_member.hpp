// SPDX-License-Identifier: Apache-2.0
// A member cluster that does what a test says: objects to list, events to watch, errors to meet.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/async/event.hpp"
#include "core/cluster/cluster_driver.hpp"

namespace flotilla::fakes {

using api::Gvr;
using api::Json;

struct MemberScript {
  std::mutex mutex;  // all below
  std::map<std::string, Json> objects;
  std::vector<cluster::MemberEvent> events;  // of all watches so far
  std::optional<Error> failure;              // what list and watch answer
  std::optional<Error> watch_ending;         // how the running watch ends, once
  bool watch_ends_in_order = false;          // once
  std::atomic<int> lists = 0, watches = 0;
  int revision = 10;
  bool closed = false;
  cluster::Discovery discovery;
  std::optional<Error> discovery_failure;
  int discoveries = 0;
  Event changed;

  static Json make(const std::string& name, int version) {
    Json object = Json::object({{"apiVersion", "v1"}, {"kind", "ConfigMap"}});
    Json& metadata = object.make({"metadata"});
    metadata.set("namespace", "default");
    metadata.set("name", name);
    metadata.set("uid", "uid-" + name);
    metadata.set("resourceVersion", std::to_string(version));
    return object;
  }
  void change(const std::string& name, cluster::MemberEvent::Type type) {
    {
      std::lock_guard lock(mutex);
      Json object = make(name, ++revision);
      if (type == cluster::MemberEvent::Type::Deleted) {
        objects.erase(name);
      } else {
        objects[name] = object;
      }
      events.push_back({type, std::move(object)});
    }
    changed.notify();
  }
  void set(auto&& how) {
    {
      std::lock_guard lock(mutex);
      how(*this);
    }
    changed.notify();
  }
};

class ScriptedWatch final : public cluster::MemberWatch {
 public:
  ScriptedWatch(std::shared_ptr<MemberScript> script, std::size_t from)
      : script_(std::move(script)), at_(from) {}

  Task<Result<std::vector<cluster::MemberEvent>>> next() override {
    std::vector<cluster::MemberEvent> out;
    for (;;) {
      const std::uint64_t seen = script_->changed.version();
      {
        std::lock_guard lock(script_->mutex);
        for (; at_ < script_->events.size(); ++at_) out.push_back(script_->events[at_]);
        if (!out.empty()) co_return out;
        if (std::exchange(script_->watch_ends_in_order, false)) co_return out;
        if (auto ending = std::exchange(script_->watch_ending, std::nullopt)) co_return *std::move(ending);
      }
      auto waiting = script_->changed.wait_past(seen);
      if (!co_await std::move(waiting)) co_return Error(Code::Cancelled, "cancelled");
    }
  }

 private:
  std::shared_ptr<MemberScript> script_;
  std::size_t at_;
};

class ScriptedConnection final : public cluster::ClusterConnection {
 public:
  explicit ScriptedConnection(std::shared_ptr<MemberScript> script) : script_(std::move(script)) {}

  Task<cluster::ProbeResult> probe() override { co_return cluster::ProbeResult{}; }
  Task<Result<cluster::Discovery>> discover() override {
    std::lock_guard lock(script_->mutex);
    ++script_->discoveries;
    if (script_->discovery_failure) co_return *script_->discovery_failure;
    co_return script_->discovery;
  }
  Task<Result<Json>> get(Gvr, std::string, std::string) override {
    co_return Error(Code::Unsupported, "scripted");
  }
  Task<Result<cluster::MemberList>> list(Gvr, cluster::ListSelector) override {
    std::lock_guard lock(script_->mutex);
    ++script_->lists;
    if (script_->failure) co_return *script_->failure;
    cluster::MemberList list;
    for (const auto& [name, object] : script_->objects) list.objects.push_back(object);
    list.resource_version = std::to_string(script_->revision);
    co_return list;
  }
  Task<Result<Json>> apply(Gvr, Json, cluster::ApplyMode) override {
    co_return Error(Code::Unsupported, "scripted");
  }
  Task<Status> remove(Gvr, std::string, std::string, cluster::RemoveOptions) override {
    co_return Error(Code::Unsupported, "scripted");
  }
  Task<Result<std::unique_ptr<cluster::MemberWatch>>> watch(Gvr, cluster::ListSelector,
                                                            std::string) override {
    std::lock_guard lock(script_->mutex);
    ++script_->watches;
    if (script_->failure) co_return *script_->failure;
    co_return std::unique_ptr<cluster::MemberWatch>(
        std::make_unique<ScriptedWatch>(script_, script_->events.size()));
  }
  void close() override {
    script_->set([](MemberScript& script) { script.closed = true; });
  }

 private:
  std::shared_ptr<MemberScript> script_;
};

// Connects every cluster to the script of its name.
class ScriptedDriver final : public cluster::ClusterDriver {
 public:
  std::string name() const override { return "scripted"; }
  Result<std::shared_ptr<cluster::ClusterConnection>> connect(cluster::ClusterEndpoint endpoint) override {
    ++connects;
    if (endpoint.api_endpoint == "broken") return Error(Code::Invalid, "broken credentials");
    auto& script = scripts[endpoint.cluster];
    if (!script) script = std::make_shared<MemberScript>();
    return std::shared_ptr<cluster::ClusterConnection>(std::make_shared<ScriptedConnection>(script));
  }
  int connects = 0;
  std::map<std::string, std::shared_ptr<MemberScript>> scripts;
};

}  // namespace flotilla::fakes
