// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/leadership.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "core/ctl/kubeconfig.hpp"
#include "core/daemon/authorities.hpp"
#include "core/daemon/pki.hpp"
#include "core/daemon/wait.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::daemon {
namespace {

using store::Durability;
using store::MemoryBackend;
using store::Store;

const store::Collection kConfigMaps = store::collection_of("", "configmaps");

api::Json config_map(const std::string& name) {
  return api::Json::object({{"apiVersion", "v1"},
                            {"kind", "ConfigMap"},
                            {"metadata", api::Json::object({{"name", name}, {"namespace", "ns"}})}});
}

// One daemon's part in it.
struct Candidate {
  Candidate(const Executor& used, const std::shared_ptr<MemoryBackend::Disk>& disk, std::string name)
      : executor(used), store(used, std::make_unique<MemoryBackend>(disk, true), options()) {
    auto opening = store.open();
    const Status opened = wait_for(executor, std::move(opening));
    EXPECT_TRUE(opened.ok());
    LeadershipOptions wanted;
    wanted.identity = std::move(name);
    wanted.lease_duration = std::chrono::seconds(1);
    wanted.renew_deadline = std::chrono::milliseconds(700);
    wanted.retry_period = std::chrono::milliseconds(50);
    leadership.emplace(executor, store, wanted);
  }
  ~Candidate() {
    leadership.reset();
    auto closing = store.close();
    wait_for(executor, std::move(closing));
  }
  static store::StoreOptions options() {
    store::StoreOptions options;
    options.patience = std::chrono::milliseconds(300);
    return options;
  }
  void start() {
    leadership->start([this] { led.set_value(); }, [this] { lost.set_value(); });
  }
  bool leads_within(std::chrono::milliseconds bound) {
    return led_soon.wait_for(bound) == std::future_status::ready;
  }
  Status write(const std::string& name) {
    auto writing = store.create(kConfigMaps, config_map(name), Durability::Derived);
    const auto written = wait_for(executor, std::move(writing));
    return written ? Status() : Status(written.error());
  }
  std::string holder() {
    auto asking = store.fresh();
    const Status there = wait_for(executor, std::move(asking));
    EXPECT_TRUE(there.ok());
    const auto lease = store.get(Leadership::collection(), Leadership::key().ns, Leadership::key().name);
    return lease ? std::string((*lease->content())["spec"]["holderIdentity"].as_string()) : "";
  }

  const Executor& executor;
  Store store;
  std::optional<Leadership> leadership;
  std::promise<void> led, lost;
  std::future<void> led_soon = led.get_future(), lost_soon = lost.get_future();
};

class Daemon_Leadership : public testing::Test {
 protected:
  SystemClock clock_;
  Executor executor_{clock_};
  std::shared_ptr<MemoryBackend::Disk> disk_ = std::make_shared<MemoryBackend::Disk>();
};

constexpr std::chrono::milliseconds kBound{10'000};

TEST_F(Daemon_Leadership, one_of_two_leads_and_the_other_takes_over_when_it_stops_in_order) {
  Candidate a(executor_, disk_, "a"), b(executor_, disk_, "b");
  a.start();
  ASSERT_TRUE(a.leads_within(kBound));
  b.start();
  EXPECT_TRUE(a.leadership->holds());
  EXPECT_FALSE(b.leads_within(std::chrono::milliseconds(1'500)));  // it is renewed
  EXPECT_EQ(b.holder(), "a");
  a.leadership->stop();
  EXPECT_FALSE(a.leadership->holds());
  ASSERT_TRUE(b.leads_within(std::chrono::milliseconds(900)));  // without waiting for the Lease to run out
  EXPECT_EQ(a.holder(), "b");
  const auto lease = a.store.get(Leadership::collection(), "kube-system", "flotilla");
  EXPECT_EQ((*lease->content())["spec"]["leaseTransitions"].as_int(), 1);
}

TEST_F(Daemon_Leadership, who_is_not_heard_loses_the_lease_and_cannot_write_as_its_holder) {
  Candidate a(executor_, disk_, "a"), b(executor_, disk_, "b");
  a.start();
  ASSERT_TRUE(a.leads_within(kBound));
  EXPECT_TRUE(a.write("led").ok());
  // Neither hears anything, and what is committed waits: a cannot renew.
  disk_->hold_back();
  b.start();
  EXPECT_EQ(a.lost_soon.wait_for(kBound), std::future_status::ready);
  EXPECT_FALSE(a.leadership->holds());
  disk_->release();
  ASSERT_TRUE(b.leads_within(kBound));
  EXPECT_TRUE(b.write("led-by-b").ok());
  const Status late = a.write("too-late");
  ASSERT_FALSE(late.ok());
  EXPECT_TRUE(late.error().is(Code::Unavailable)) << late.error().message();
}

TEST_F(Daemon_Leadership, a_lease_that_somebody_else_took_ends_it_at_once) {
  Candidate a(executor_, disk_, "a"), b(executor_, disk_, "b");
  a.start();
  ASSERT_TRUE(a.leads_within(kBound));
  auto asking = b.store.fresh();
  ASSERT_TRUE(wait_for(executor_, std::move(asking)).ok());
  const auto lease = b.store.get(Leadership::collection(), "kube-system", "flotilla");
  api::Json changed = *lease->content();
  api::Json spec = std::as_const(changed)["spec"];
  spec.set("holderIdentity", "thief");
  changed.set("spec", std::move(spec));
  for (bool written = false; !written;) {
    const auto current = b.store.get(Leadership::collection(), "kube-system", "flotilla");
    auto writing = b.store.update(Leadership::collection(), changed, current->revision(), Durability::Wait);
    written = wait_for(executor_, std::move(writing)).ok();
  }
  EXPECT_EQ(a.lost_soon.wait_for(kBound), std::future_status::ready);
}

TEST_F(Daemon_Leadership, daemons_of_one_storage_have_one_authority) {
  Candidate a(executor_, disk_, "a"), b(executor_, disk_, "b");
  const std::string base = testing::TempDir() + "authorities" + std::to_string(getpid());
  auto first = DataDir::open(base + "a");
  auto second = DataDir::open(base + "b");
  auto stranger = DataDir::open(base + "c");
  ASSERT_TRUE(first && second && stranger);
  // Both are there for the first time, at once.
  auto other = std::async(std::launch::async, [&] { return share_authorities(executor_, b.store, *second); });
  const Status here = share_authorities(executor_, a.store, *first);
  const Status there = other.get();
  ASSERT_TRUE(here.ok()) << here.error().message();
  ASSERT_TRUE(there.ok()) << there.error().message();
  for (const char* name :
       {"ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "service-account.key"}) {
    const auto one = ctl::read_file(first->path() + "/pki/" + name);
    const auto two = ctl::read_file(second->path() + "/pki/" + name);
    ASSERT_TRUE(one && two) << name;
    EXPECT_EQ(*one, *two) << name;
  }
  EXPECT_TRUE(share_authorities(executor_, a.store, *first).ok());
  ASSERT_TRUE(Pki::load_or_make(*stranger, {}, clock_).ok());
  const Status refused = share_authorities(executor_, a.store, *stranger);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().is(Code::Conflict));
  EXPECT_NE(refused.error().message().find("ca.crt"), std::string::npos);
}

}  // namespace
}  // namespace flotilla::daemon
