// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/write_gate.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fibers.hpp"

namespace flotilla::cluster {
namespace {

const Gvr kConfigMaps{"", "v1", "configmaps"};

Json object(const std::string& value) {
  return Json::object({{"metadata", Json::object({{"name", "a"}, {"namespace", "ns"}})}, {"data", value}});
}

// A member with one object that counts what is written to it.
class CountingConnection final : public ClusterConnection {
 public:
  Task<ProbeResult> probe() override { co_return ProbeResult(); }
  Task<Result<Discovery>> discover() override { co_return Discovery(); }
  Task<Result<Json>> get(Gvr, std::string, std::string) override { co_return object("old"); }
  Task<Result<MemberList>> list(Gvr, ListSelector) override { co_return MemberList(); }
  Task<Result<Json>> apply(Gvr, Json wanted, ApplyMode) override {
    ++writes;
    co_return wanted;
  }
  Task<Status> remove(Gvr, std::string, std::string, RemoveOptions) override {
    ++writes;
    co_return Status();
  }
  Task<Result<std::unique_ptr<MemberWatch>>> watch(Gvr, ListSelector, std::string) override {
    co_return Error(Code::Unsupported, "none");
  }
  void close() override {}

  int writes = 0;
};

TEST(Cluster_WriteGate, a_closed_gate_notes_and_an_open_one_passes) {
  SystemClock clock;
  Executor executor(clock, {.io_threads = 1, .blocking_threads = 1});
  const auto gate = std::make_shared<WriteGate>();
  const auto member = std::make_shared<CountingConnection>();
  const auto connection = gated(gate, "m1", member);
  int opened = 0;
  gate->on_open([&] { ++opened; });
  gate->close();

  const auto updated =
      fakes::run_on(executor, connection->apply(kConfigMaps, object("new"), ApplyMode::Update));
  ASSERT_FALSE(updated.ok());
  EXPECT_TRUE(is_withheld(updated.error()));
  const auto removed = fakes::run_on(executor, connection->remove(kConfigMaps, "ns", "b", {}));
  EXPECT_TRUE(!removed.ok() && is_withheld(removed.error()));
  EXPECT_EQ(member->writes, 0);
  auto noted = gate->withheld();
  ASSERT_EQ(noted.size(), 2u);
  EXPECT_EQ(noted[0].kind, WriteGate::Withheld::Kind::Update);
  EXPECT_EQ(std::as_const(noted[0].before)["data"].as_string(), "old");
  EXPECT_EQ(std::as_const(noted[0].after)["data"].as_string(), "new");
  EXPECT_EQ(noted[1].kind, WriteGate::Withheld::Kind::Delete);
  EXPECT_EQ(noted[1].place.name, "b");

  gate->reconsider({"m1", kConfigMaps, "ns", "b"});
  EXPECT_EQ(gate->withheld().size(), 1u);
  gate->open();
  gate->open();
  EXPECT_EQ(opened, 1);
  EXPECT_TRUE(gate->withheld().empty());
  EXPECT_TRUE(fakes::run_on(executor, connection->apply(kConfigMaps, object("new"), ApplyMode::Update)).ok());
  EXPECT_EQ(member->writes, 1);
  executor.stop();
}

TEST(Cluster_WriteGate, an_open_gate_asks_its_guard_before_each_write) {
  SystemClock clock;
  Executor executor(clock, {.io_threads = 1, .blocking_threads = 1});
  const auto gate = std::make_shared<WriteGate>();
  bool leads = true;
  gate->guard([&] { return leads ? Status() : Error(Code::Unavailable, "another daemon may lead now"); });
  const auto counting = std::make_shared<CountingConnection>();
  const auto connection = gated(gate, "m", counting);
  EXPECT_TRUE(fakes::run_on(executor, connection->apply(kConfigMaps, object("new"), ApplyMode::Create)).ok());
  leads = false;
  const auto applied =
      fakes::run_on(executor, connection->apply(kConfigMaps, object("new"), ApplyMode::Update));
  ASSERT_FALSE(applied.ok());
  EXPECT_TRUE(applied.error().is(Code::Unavailable));
  EXPECT_FALSE(fakes::run_on(executor, connection->remove(kConfigMaps, "ns", "a", {})).ok());
  EXPECT_EQ(counting->writes, 1);
  EXPECT_TRUE(fakes::run_on(executor, connection->get(kConfigMaps, "ns", "a")).ok());
  executor.stop();
}

}  // namespace
}  // namespace flotilla::cluster
