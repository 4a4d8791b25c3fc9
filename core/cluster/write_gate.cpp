// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/write_gate.hpp"

#include <utility>

namespace flotilla::cluster {
namespace {

constexpr const char* kReason = "Withheld";

Error withheld_error() {
  ErrorDetails details;
  details.reason = kReason;
  return Error(
      Code::Unavailable,
      "withheld: this control plane was restored from a backup and observes; see flotillactl restore plan",
      details);
}

class GatedConnection final : public ClusterConnection {
 public:
  GatedConnection(std::shared_ptr<WriteGate> gate, std::string cluster,
                  std::shared_ptr<ClusterConnection> connection)
      : gate_(std::move(gate)), cluster_(std::move(cluster)), connection_(std::move(connection)) {}

  Task<ProbeResult> probe() override { return connection_->probe(); }
  Task<Result<Discovery>> discover() override { return connection_->discover(); }
  Task<Result<Json>> get(Gvr resource, std::string ns, std::string name) override {
    return connection_->get(std::move(resource), std::move(ns), std::move(name));
  }
  Task<Result<MemberList>> list(Gvr resource, ListSelector selector) override {
    return connection_->list(std::move(resource), std::move(selector));
  }
  Task<Result<std::unique_ptr<MemberWatch>>> watch(Gvr resource, ListSelector selector,
                                                   std::string resource_version) override {
    return connection_->watch(std::move(resource), std::move(selector), std::move(resource_version));
  }
  void close() override { connection_->close(); }

  Task<Result<Json>> apply(Gvr resource, Json object, ApplyMode mode) override {
    if (gate_->is_open()) {
      if (Status may = gate_->may_write(); !may) return refused<Result<Json>>(std::move(may));
      return connection_->apply(std::move(resource), std::move(object), mode);
    }
    return withhold_apply(std::move(resource), std::move(object), mode);
  }
  Task<Status> remove(Gvr resource, std::string ns, std::string name, RemoveOptions options) override {
    if (gate_->is_open()) {
      if (Status may = gate_->may_write(); !may) return refused<Status>(std::move(may));
      return connection_->remove(std::move(resource), std::move(ns), std::move(name), std::move(options));
    }
    return withhold_remove(std::move(resource), std::move(ns), std::move(name));
  }

 private:
  template <typename R>
  static Task<R> refused(Status why) {
    co_return std::move(why).error();
  }
  Task<Result<Json>> withhold_apply(Gvr resource, Json object, ApplyMode mode) {
    const auto gate = gate_;
    WriteGate::Withheld withheld;
    withheld.kind =
        mode == ApplyMode::Create ? WriteGate::Withheld::Kind::Create : WriteGate::Withheld::Kind::Update;
    withheld.place = {cluster_, resource, std::string(api::namespace_of(object)),
                      std::string(api::name_of(object))};
    withheld.after = std::move(object);
    if (mode != ApplyMode::Create) {
      auto getting = connection_->get(resource, withheld.place.ns, withheld.place.name);
      auto there = co_await std::move(getting);
      if (there) withheld.before = *std::move(there);
    }
    gate->note(std::move(withheld));
    co_return withheld_error();
  }
  Task<Status> withhold_remove(Gvr resource, std::string ns, std::string name) {
    const auto gate = gate_;
    WriteGate::Withheld withheld;
    withheld.kind = WriteGate::Withheld::Kind::Delete;
    withheld.place = {cluster_, resource, std::move(ns), std::move(name)};
    auto getting = connection_->get(std::move(resource), withheld.place.ns, withheld.place.name);
    auto there = co_await std::move(getting);
    if (there) withheld.before = *std::move(there);
    gate->note(std::move(withheld));
    co_return withheld_error();
  }

  const std::shared_ptr<WriteGate> gate_;
  const std::string cluster_;
  const std::shared_ptr<ClusterConnection> connection_;
};

}  // namespace

void WriteGate::open() {
  std::vector<std::function<void()>> calls;
  {
    std::lock_guard lock(mutex_);
    if (open_.exchange(true)) return;
    withheld_.clear();
    examined_.clear();
    calls = calls_;
  }
  for (const auto& call : calls) call();
}

void WriteGate::on_open(std::function<void()> call) {
  std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
}

void WriteGate::note(Withheld withheld) {
  std::lock_guard lock(mutex_);
  if (is_open()) return;
  Place place = withheld.place;
  withheld_.insert_or_assign(std::move(place), std::move(withheld));
}

void WriteGate::reconsider(const Place& place) {
  if (is_open()) return;
  std::lock_guard lock(mutex_);
  withheld_.erase(place);
}

void WriteGate::examined(const api::ObjectKey& work) {
  if (is_open()) return;
  std::lock_guard lock(mutex_);
  examined_.insert(work);
}

std::vector<WriteGate::Withheld> WriteGate::withheld() const {
  std::vector<Withheld> out;
  std::lock_guard lock(mutex_);
  out.reserve(withheld_.size());
  for (const auto& [place, withheld] : withheld_) out.push_back(withheld);
  return out;
}

std::size_t WriteGate::examined_works() const {
  std::lock_guard lock(mutex_);
  return examined_.size();
}

bool is_withheld(const Error& error) {
  return error.details() != nullptr && error.details()->reason == kReason;
}

std::shared_ptr<ClusterConnection> gated(std::shared_ptr<WriteGate> gate, std::string cluster,
                                         std::shared_ptr<ClusterConnection> connection) {
  return std::make_shared<GatedConnection>(std::move(gate), std::move(cluster), std::move(connection));
}

}  // namespace flotilla::cluster
