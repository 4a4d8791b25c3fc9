// SPDX-License-Identifier: Apache-2.0
// Snapshots, restores and migrations over the real backends, with and without their snapshot interface.
#include "core/backup/transfer.hpp"

#include <flotilla/abi/entry.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <future>
#include <map>

#include "core/async/fiber_scope.hpp"
#include "core/plugin/storage_adapter.hpp"
#include "core/store/layered_backend.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_memory;
extern const flt_plugin_v1_t flt_plugin_storage_sqlite;
}

namespace flotilla::backup {
namespace {

using store::StorageBackend;

// A backend as one without interfaces of its own is to the host.
class Plain final : public store::LayeredBackend, public store::StorageExtras {
 public:
  using LayeredBackend::LayeredBackend;
  bool has_snapshots() const override { return false; }
  std::unique_ptr<store::SnapshotReader> save() override { return nullptr; }
  Task<Status> load(store::LoadedPart) override { co_return Status(); }
  bool has_maintenance() const override { return false; }
  std::unique_ptr<store::MaintenanceReader> maintain(store::Maintenance, bool) override { return nullptr; }
  Task<Result<std::vector<store::StorageFigure>>> figures() override {
    co_return std::vector<store::StorageFigure>();
  }
  std::uint64_t max_operations() const override { return 128; }
};

template <typename T>
Task<void> keep(Task<T> task, std::optional<T>* answer) {
  answer->emplace(co_await std::move(task));
}

class Backup_Transfer : public testing::Test {
 protected:
  Backup_Transfer() : folder_(testing::TempDir() + "transfer-XXXXXX") {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~Backup_Transfer() override {
    for (auto& backend : backends_) close(backend.get());
    backends_.clear();
    scope_.cancel();
    scope_.join_blocking();
    executor_.stop();
    std::filesystem::remove_all(folder_);
  }

  template <typename T>
  T run(Task<T> task) {
    std::optional<T> answer;
    scope_.spawn(keep(std::move(task), &answer));
    scope_.join_blocking();
    return *std::move(answer);
  }
  static Task<bool> stop(StorageBackend* backend) {
    auto stopping = backend->stop();
    co_await std::move(stopping);
    co_return true;
  }
  void close(StorageBackend* backend) {
    if (backend != nullptr) run(stop(backend));
  }
  void forget(StorageBackend* backend) {
    close(backend);
    std::erase_if(backends_, [&](const auto& one) { return one.get() == backend; });
  }

  StorageBackend* open(const flt_plugin_v1_t& plugin, const std::string& name, bool plain = false) {
    plugin::InstanceOptions options;
    options.state_dir = folder_;
    options.config = api::Json::object();
    if (&plugin == &flt_plugin_storage_sqlite)
      options.config = api::Json::object({{"path", name + ".db"}, {"historyRevisions", 50}});
    auto instance = plugin::Instance::create(environment_, *plugin.components[0], std::move(options));
    EXPECT_TRUE(instance.ok());
    std::unique_ptr<StorageBackend> backend = *plugin::make_storage_backend(*instance);
    if (plain) backend = std::make_unique<Plain>(std::move(backend));
    const Status started = run(backend->start());
    EXPECT_TRUE(started.ok()) << started.error().message();
    backends_.push_back(std::move(backend));
    return backends_.back().get();
  }

  // Begun; settle() waits for all.
  void later(StorageBackend* backend, const std::string& key, const std::string& value, bool remove = false) {
    store::Commit one;
    one.operations.push_back({key, value, remove});
    commit(backend, std::move(one));
  }
  void settle() {
    for (auto& one : begun_) EXPECT_TRUE(one.get_future().get());
    begun_.clear();
  }
  void put(StorageBackend* backend, const std::string& key, const std::string& value) {
    later(backend, key, value);
    settle();
  }
  static std::string key_of(int number) { return "/registry/k" + std::to_string(1000 + number); }
  void commit(StorageBackend* backend, store::Commit commit) {
    begun_.emplace_back();
    std::promise<bool>* done = &begun_.back();
    backend->commit(std::move(commit), [done](Result<store::CommitResult> result) {
      done->set_value(result.ok() && result->succeeded);
    });
  }
  // A hundred keys a commit.
  void fill(StorageBackend* backend, int keys, bool remove = false) {
    for (int from = 0; from < keys; from += 100) {
      store::Commit many;
      for (int i = from; i < std::min(keys, from + 100); ++i)
        many.operations.push_back({key_of(i), std::string(900, 'a'), remove});
      commit(backend, std::move(many));
    }
    settle();
  }

  static Task<std::map<std::string, std::string>> rest(store::SnapshotReader* reader) {
    std::map<std::string, std::string> all;
    for (;;) {
      auto reading = reader->next();
      auto part = co_await std::move(reading);
      EXPECT_TRUE(part.ok()) << part.error().message();
      if (!part || !*part) co_return all;
      for (store::KeyValue& kv : (*part)->values) all[kv.key] = kv.value;
    }
  }
  std::map<std::string, std::string> all(StorageBackend* backend) {
    const auto reader = store::save_snapshot(*backend);
    return run(rest(reader.get()));
  }
  Result<BackupTotals> copy(StorageBackend* from, StorageBackend* to, TransferOptions options = {}) {
    return run(transfer(store::save_snapshot(*from), to, std::move(options)));
  }

  std::string folder_;
  SystemClock clock_;
  Executor executor_{clock_};
  plugin::HostEnvironment environment_{executor_, "flotilla test"};
  FiberScope scope_{executor_.strand(), "test"};
  std::vector<std::unique_ptr<StorageBackend>> backends_;
  std::deque<std::promise<bool>> begun_;
};

TEST_F(Backup_Transfer, a_snapshot_is_one_revision_however_much_is_written_while_it_is_read) {
  StorageBackend* backend = open(flt_plugin_storage_sqlite, "busy");
  fill(backend, 6000);  // more than the stream's credit
  const auto reader = store::save_snapshot(*backend);
  std::map<std::string, std::string> seen;
  {
    auto first = run(reader->next());
    ASSERT_TRUE(first.ok() && *first);
    for (const store::KeyValue& kv : (*first)->values) seen[kv.key] = kv.value;
  }
  // Changed, removed, made anew, far beyond the fifty revisions of history.
  for (int i = 0; i < 6000; i += 7) later(backend, key_of(i), "changed");
  for (int i = 1; i < 6000; i += 7) later(backend, key_of(i), "", true);
  for (int i = 1; i < 6000; i += 14) later(backend, key_of(i), "again");
  for (int i = 0; i < 100; ++i) later(backend, "/registry/new" + std::to_string(i), "new");
  settle();
  for (auto& [key, value] : run(rest(reader.get()))) seen[key] = value;
  ASSERT_EQ(seen.size(), 6000u);
  for (const auto& [key, value] : seen) EXPECT_EQ(value, std::string(900, 'a')) << key;
}

TEST_F(Backup_Transfer, every_pair_of_backends_carries_everything_over) {
  for (const bool plain_from : {false, true}) {
    for (const bool plain_to : {false, true}) {
      for (const auto* plugin : {&flt_plugin_storage_memory, &flt_plugin_storage_sqlite}) {
        const std::string name = std::to_string(plain_from) + std::to_string(plain_to) +
                                 std::to_string(plugin == &flt_plugin_storage_memory);
        StorageBackend* from = open(*plugin, "from" + name, plain_from);
        StorageBackend* to = open(flt_plugin_storage_sqlite, "to" + name, plain_to);
        fill(from, 1500);
        put(from, "/registry/empty", "");
        const auto copied = copy(from, to);
        ASSERT_TRUE(copied.ok()) << copied.error().message();
        EXPECT_EQ(copied->keys, 1501u);
        const auto one = run(hash_content(store::save_snapshot(*from), {}));
        const auto other = run(hash_content(store::save_snapshot(*to), {}));
        ASSERT_TRUE(one.ok() && other.ok());
        EXPECT_TRUE(*one == *other) << one->sha256 << " " << other->sha256;
        if (!plain_to) {
          EXPECT_EQ(run(to->status(false))->revision, run(from->status(false))->revision);
        }
        put(to, "/registry/after", "1");
      }
    }
  }
}

TEST_F(Backup_Transfer, only_an_empty_backend_is_filled) {
  for (const bool plain : {false, true}) {
    StorageBackend* from = open(flt_plugin_storage_memory, "");
    StorageBackend* to = open(flt_plugin_storage_sqlite, plain ? "used1" : "used2", plain);
    fill(from, 10);
    put(to, "/registry/mine", "1");
    const auto refused = copy(from, to);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), Code::Conflict);
    EXPECT_EQ(all(to).size(), 1u);
  }
}

TEST_F(Backup_Transfer, a_mark_goes_among_the_keys_and_the_revision_leaps) {
  StorageBackend* from = open(flt_plugin_storage_memory, "");
  StorageBackend* to = open(flt_plugin_storage_sqlite, "marked");
  fill(from, 600);
  put(from, kRestoreKey, "of an earlier restore");
  put(from, "/zzz", "behind");
  const Revision before = run(from->status(false))->revision;
  TransferOptions options;
  options.mark = store::KeyValue{kRestoreKey, "mark", before, before};
  options.leap = kRevisionLeap;
  ASSERT_TRUE(copy(from, to, std::move(options)).ok());
  const auto got = all(to);
  EXPECT_EQ(got.size(), 602u);
  EXPECT_EQ(got.at(kRestoreKey), "mark");
  EXPECT_EQ(run(to->status(false))->revision.get(), before.get() + kRevisionLeap);
}

// A transfer that ends in the middle: served to nobody, also after a restart, and begun anew.
TEST_F(Backup_Transfer, half_a_restore_is_nothing) {
  StorageBackend* from = open(flt_plugin_storage_memory, "");
  fill(from, 1200);
  for (const bool plain : {false, true}) {
    const std::string name = plain ? "half1" : "half2";
    StorageBackend* to = open(flt_plugin_storage_sqlite, name, plain);
    store::LoadedPart part;
    part.first = true;
    part.revision = Revision(10);
    part.values.push_back({"/registry/half", "1", Revision(3), Revision(4)});
    ASSERT_TRUE(run(store::load_snapshot(to, std::move(part))).ok());
    forget(to);
    to = open(flt_plugin_storage_sqlite, name, plain);
    const auto range = run(to->range("/registry/", "/registry0", Revision(), 0));
    if (plain) {
      const auto mark = run(to->range(store::kLoadingKey, "/flotilla/loading0", Revision(), 0));
      ASSERT_TRUE(mark.ok());
      EXPECT_EQ(mark->values.size(), 1u);
    } else {
      ASSERT_FALSE(range.ok());
      EXPECT_NE(range.error().message().find("restored by half"), std::string::npos)
          << range.error().message();
      EXPECT_TRUE(run(to->status(false))->read_only);
    }
    const auto copied = copy(from, to);
    ASSERT_TRUE(copied.ok()) << copied.error().message();
    EXPECT_EQ(all(to).size(), 1200u);
    EXPECT_FALSE(run(to->status(false))->read_only);
    put(to, "/registry/after", "1");
  }
}

Task<std::vector<store::MaintenanceReport>> reports_of(StorageBackend* backend, store::Maintenance what,
                                                       bool alone) {
  std::vector<store::MaintenanceReport> all;
  auto reader = store::maintain(*backend, what, alone);
  EXPECT_TRUE(reader.ok());
  for (;;) {
    auto reading = (*reader)->next();
    auto report = co_await std::move(reading);
    EXPECT_TRUE(report.ok()) << report.error().message();
    if (!report || !*report) co_return all;
    all.push_back(**report);
  }
}

TEST_F(Backup_Transfer, a_check_says_what_is_there_and_a_compaction_what_it_gave_back) {
  for (const bool alone : {false, true}) {
    StorageBackend* backend = open(flt_plugin_storage_sqlite, alone ? "alone" : "online");
    fill(backend, 3000);
    fill(backend, 2900, true);
    for (int i = 0; i < 60; ++i) later(backend, key_of(2999), "behind the history");
    settle();
    const auto checked = run(reports_of(backend, store::Maintenance::Check, alone));
    ASSERT_FALSE(checked.empty());
    EXPECT_EQ(checked.back().kind, store::MaintenanceReport::Kind::Finding);
    EXPECT_EQ(checked.back().text.substr(0, 13), "100 keys with") << checked.back().text;
    const auto before = run(backend->status(false))->bytes;
    const auto compacted = run(reports_of(backend, store::Maintenance::Compact, alone));
    EXPECT_EQ(compacted.back().kind, store::MaintenanceReport::Kind::Finding);
    put(backend, "/registry/after", "1");
    EXPECT_LT(run(backend->status(false))->bytes, before / 4) << compacted.back().text;
    const auto figures = run(store::figures_of(backend));
    ASSERT_TRUE(figures.ok());
    EXPECT_EQ(figures->front().name, "keys");
    EXPECT_EQ(figures->front().value, 101);
  }
}

}  // namespace
}  // namespace flotilla::backup
