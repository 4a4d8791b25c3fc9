// SPDX-License-Identifier: Apache-2.0
// Clients that write and a watch that sees it, while something happens to etcd. At the end every answer is
// held against the history that the watch told.
#pragma once

#include <flotilla/abi/entry.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sdk/conformance/storage_history.hpp"
#include "sdk/conformance/storage_subject.hpp"
#include "sdk/conformance/storage_watch.hpp"
#include "tests/fakes/etcd_server.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_etcd;
}

namespace flotilla::faults {

using conformance::CommitSpec;
using conformance::Event;
using conformance::StorageSubject;
using conformance::Subject;
using fakes::EtcdCluster;

inline StorageSubject subject_of(const std::string& config) {
  StorageSubject subject;
  subject.component = flt_plugin_storage_etcd.components[0];
  subject.config_json = config;
  return subject;
}

class Load {
 public:
  explicit Load(const std::string& config, int writers = 4)
      : subject_(subject_of(config)), before_(subject_->status().revision) {
    watcher_ = std::thread([this] { watch(); });
    for (int i = 0; i < writers; ++i) writers_.emplace_back([this, i] { write(i); });
  }
  ~Load() { stop(); }

  Subject& subject() { return subject_; }
  std::size_t answered() const { return history_.answered(); }
  std::size_t unanswered() const { return failed_; }
  // Until so many more writes were answered; how long that took. Fails the test when it does not happen.
  std::chrono::milliseconds wait_for(std::size_t more) {
    const auto begun = std::chrono::steady_clock::now();
    const std::size_t target = answered() + more;
    while (answered() < target) {
      const auto took = std::chrono::steady_clock::now() - begun;
      if (took > std::chrono::seconds(60)) {
        ADD_FAILURE() << "only " << answered() << " of " << target << " writes within 60 s";
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  }
  // Every answered write is in the history, the watch has missed and repeated nothing, and what is stored is
  // where the history ends.
  void expect_nothing_lost() {
    writing_ = false;
    for (std::thread& writer : writers_) writer.join();
    writers_.clear();
    last_ = subject_->status(FLT_STATUS_LINEARIZABLE).revision;
    if (watcher_.joinable()) watcher_.join();
    EXPECT_EQ(watch_fault_, "");
    EXPECT_EQ(history_.judge(events_), "");
    std::map<std::string, conformance::Kv> world;
    for (const Event& event : events_)
      event.removed ? void(world.erase(event.kv.key)) : void(world[event.kv.key] = event.kv);
    std::vector<conformance::Kv> ended;
    for (const auto& [key, kv] : world) ended.push_back(kv);
    EXPECT_TRUE(subject_.all() == ended) << "the history does not end in what is stored";
    subject_.finish();
  }

 private:
  void stop() {
    writing_ = false;
    last_ = 0;
    for (std::thread& writer : writers_) writer.join();
    if (watcher_.joinable()) watcher_.join();
  }

  void write(int number) {
    std::mt19937_64 random(static_cast<std::uint64_t>(number) + 1);
    for (int i = 0; writing_; ++i) {
      const std::string key = "k" + std::to_string(random() % 5);
      CommitSpec spec = CommitSpec::put(key, std::to_string(number) + "-" + std::to_string(i));
      if (random() % 3 == 0) {
        const auto now = history_.range(subject_.client(), {.key = key, .end = ""});
        if (!now.answer.ok()) continue;
        spec.when(key, now.kvs.empty() ? 0 : now.kvs[0].mod_revision);
      } else if (random() % 8 == 0) {
        spec = CommitSpec::remove(key);
      }
      if (!history_.commit(subject_.client(), spec).answer.ok()) ++failed_;
    }
  }

  void watch() {
    try {
      conformance::StorageWatch watch(subject_.client(), {.start = before_ + 1, .credit = 50});
      while (last_ < 0 || watch.progress() < last_) {
        if (last_ > 0) watch.ask_progress();
        auto batch = watch.next(std::chrono::milliseconds(500));
        if (const auto end = watch.ended()) {
          watch_fault_ = "the watch ended: " + end->message;
          return;
        }
        if (!batch) continue;
        for (Event& event : batch->events) events_.push_back(std::move(event));
      }
    } catch (const std::exception& fault) {
      watch_fault_ = fault.what();
    }
  }

  Subject subject_;
  const std::int64_t before_;
  conformance::StorageHistory history_;
  std::atomic<bool> writing_{true};
  std::atomic<std::int64_t> last_{-1};
  std::atomic<std::size_t> failed_{0};
  std::vector<Event> events_;  // the watcher's until it is joined
  std::string watch_fault_;
  std::thread watcher_;
  std::vector<std::thread> writers_;
};

}  // namespace flotilla::faults
