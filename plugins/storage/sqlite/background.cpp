// SPDX-License-Identifier: Apache-2.0
#include "background.hpp"

#include <string>
#include <utility>

namespace flotilla::plugins::storage {
namespace {

constexpr std::size_t kBytesAtOnce = 512u << 10;  // of a step

// Whether a stream has room; shared with what the host calls when it has again.
struct Credit {
  std::atomic<bool> there{true};
  std::shared_ptr<Waker> waker;

  static void given(void* context) {
    Credit& credit = **static_cast<std::shared_ptr<Credit>*>(context);
    credit.there = true;
    credit.waker->wake();
  }
  static void forgotten(void* context) { delete static_cast<std::shared_ptr<Credit>*>(context); }
};

template <typename Stream>
class Streaming : public Background {
 public:
  Streaming(Stream stream, std::shared_ptr<Waker> waker)
      : stream_(std::move(stream)), credit_(std::make_shared<Credit>()) {
    credit_->waker = std::move(waker);
    stream_.on_credit(Credit::given, new std::shared_ptr<Credit>(credit_), Credit::forgotten);
  }
  bool ready() const override { return credit_->there.load(); }
  void fail(const sdk::Failure& failure) override {
    if (stream_.raw() != nullptr) stream_.end(failure);
  }

 protected:
  // `push(stream)` gives the credit left. False: nobody reads any more.
  template <typename Push>
  bool tell(Push&& push) {
    credit_->there = false;  // before: it may come back at once
    const std::int64_t left = push(stream_);
    if (left > 0) credit_->there = true;
    if (left < 0) stream_.end();
    return left >= 0;
  }

  Stream stream_;

 private:
  std::shared_ptr<Credit> credit_;
};

// Ends its walk with itself.
class OwnWalk {
 public:
  ~OwnWalk() { end(); }
  void begin(Database& database) {
    database_ = &database;
    database.begin_walk(walk_);
  }
  void end() {
    if (database_ != nullptr) std::exchange(database_, nullptr)->end_walk(walk_);
  }
  Walk& operator*() { return walk_; }
  Walk* operator->() { return &walk_; }

 private:
  Walk walk_;
  Database* database_ = nullptr;
};

class Save final : public Streaming<sdk::SnapshotStream> {
 public:
  using Streaming::Streaming;
  void begin(Database& database) override { walk_.begin(database); }
  void fail(const sdk::Failure& failure) override {
    walk_.end();
    Streaming::fail(failure);
  }
  bool step(Database& database) override {
    const sdk::Arena arena = stream_.begin();
    sdk::KvList kvs(arena);
    const bool more =
        database.walk(*walk_, kBytesAtOnce, [&](const sdk::StoredValue& value) { kvs.add(value); });
    told_.keys += static_cast<std::int64_t>(kvs.size());
    const bool read = tell([&](sdk::SnapshotStream& stream) {
      return sdk::push_kvs(stream, arena, kvs.finish(), walk_->revision);
    });
    if (more && read) return true;
    walk_.end();
    if (!read) return false;
    if (told_.keys != walk_->content.keys) {
      throw sdk::Failure(FLT_DATA_LOSS, "the database has lost keys: " + std::to_string(told_.keys) + " of " +
                                            std::to_string(walk_->content.keys) + " are there");
    }
    stream_.end();
    return false;
  }

 private:
  OwnWalk walk_;
  Content told_;
};

class Check final : public Streaming<sdk::ReportStream> {
 public:
  Check(sdk::ReportStream stream, bool alone, std::shared_ptr<Waker> waker)
      : Streaming(std::move(stream), std::move(waker)), alone_(alone) {}
  void begin(Database& database) override { walk_.begin(database); }
  void fail(const sdk::Failure& failure) override {
    walk_.end();
    Streaming::fail(failure);
  }
  bool step(Database& database) override {
    if (!walked_) {
      walked_ = !database.walk(*walk_, kBytesAtOnce, [&](const sdk::StoredValue& value) {
        seen_.add(value.key, value.mod_revision);
        bytes_ += value.key.size() + value.value.size();
      });
      return report(FLT_MAINTENANCE_PROGRESS, "keys read");
    }
    walk_.end();
    if (!(seen_ == walk_->content) &&
        !report(FLT_MAINTENANCE_FAULT,
                "the live data is not what was written: " + std::to_string(seen_.keys) + " keys are there, " +
                    std::to_string(walk_->content.keys) +
                    " should be; restart the daemon, which repairs or says what to do"))
      return false;
    if (alone_) {
      for (const std::string& fault : database.faults()) {
        if (!report(FLT_MAINTENANCE_FAULT, fault)) return false;
      }
    }
    if (report(FLT_MAINTENANCE_FINDING, std::to_string(seen_.keys) + " keys with " + std::to_string(bytes_) +
                                            " bytes at revision " + std::to_string(walk_->revision)))
      stream_.end();
    return false;
  }

 private:
  bool report(std::int32_t kind, const std::string& text) {
    return tell([&](sdk::ReportStream& stream) {
      return sdk::push_report(stream, kind, text, static_cast<std::uint64_t>(seen_.keys),
                              static_cast<std::uint64_t>(walk_->content.keys));
    });
  }

  const bool alone_;
  OwnWalk walk_;
  bool walked_ = false;
  Content seen_;
  std::uint64_t bytes_ = 0;
};

class Compaction final : public Streaming<sdk::ReportStream> {
 public:
  Compaction(sdk::ReportStream stream, bool alone, std::shared_ptr<Waker> waker)
      : Streaming(std::move(stream), std::move(waker)), alone_(alone) {}
  void begin(Database& database) override {
    before_ = database.bytes();
    if (alone_) return;
    database.checkpoint();
    database.give_back();
    most_ = database.free_pages();
  }
  bool step(Database& database) override {
    if (database.forget()) return report(FLT_MAINTENANCE_PROGRESS, "old history", 0, 0);
    if (alone_) {
      database.rebuild_file();
    } else if (const std::int64_t left = database.give_back(); left > 0 && left != last_) {
      last_ = left;
      most_ = std::max(most_, left);
      return report(FLT_MAINTENANCE_PROGRESS, "free pages", static_cast<std::uint64_t>(most_ - left),
                    static_cast<std::uint64_t>(most_));
    } else {
      database.checkpoint(true);
    }
    if (report(FLT_MAINTENANCE_FINDING,
               "from " + std::to_string(before_) + " to " + std::to_string(database.bytes()) + " bytes", 0,
               0))
      stream_.end();
    return false;
  }

 private:
  bool report(std::int32_t kind, const std::string& text, std::uint64_t done, std::uint64_t total) {
    return tell([&](sdk::ReportStream& stream) { return sdk::push_report(stream, kind, text, done, total); });
  }

  const bool alone_;
  std::uint64_t before_ = 0;
  std::int64_t most_ = 0, last_ = -1;
};

}  // namespace

std::unique_ptr<Background> make_save(sdk::SnapshotStream stream, std::shared_ptr<Waker> waker) {
  return std::make_unique<Save>(std::move(stream), std::move(waker));
}
std::unique_ptr<Background> make_check(sdk::ReportStream stream, bool alone, std::shared_ptr<Waker> waker) {
  return std::make_unique<Check>(std::move(stream), alone, std::move(waker));
}
std::unique_ptr<Background> make_compaction(sdk::ReportStream stream, bool alone,
                                            std::shared_ptr<Waker> waker) {
  return std::make_unique<Compaction>(std::move(stream), alone, std::move(waker));
}

}  // namespace flotilla::plugins::storage
