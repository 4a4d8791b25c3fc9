// SPDX-License-Identifier: Apache-2.0
#include "core/backup/transfer.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace flotilla::backup {
namespace {

using store::KeyValue;
using store::LoadedPart;
using Part = store::SnapshotReader::Part;

// Adds the mark where it belongs.
class Marking {
 public:
  explicit Marking(std::optional<KeyValue> mark) : mark_(std::move(mark)) {}

  void pass(std::vector<KeyValue>& values) {
    if (!mark_) return;
    std::erase_if(values, [this](const KeyValue& kv) { return kv.key == mark_->key; });
    for (auto it = values.begin(); it != values.end(); ++it) {
      if (it->key < mark_->key) continue;
      values.insert(it, *std::exchange(mark_, std::nullopt));
      return;
    }
  }
  void finish(std::vector<KeyValue>& values) {
    if (mark_) values.push_back(*std::exchange(mark_, std::nullopt));
  }

 private:
  std::optional<KeyValue> mark_;
};

void count(BackupTotals& totals, const std::vector<KeyValue>& values) {
  totals.keys += values.size();
  for (const KeyValue& kv : values) totals.bytes += kv.key.size() + kv.value.size();
}

class FileReader final : public store::SnapshotReader {
 public:
  explicit FileReader(int file) : file_(file) {}
  ~FileReader() override { ::close(file_); }

  Task<Result<std::optional<Part>>> next() override {
    for (;;) {
      auto part = decoder_.next();
      if (!part) co_return std::move(part).error();
      if (*part) co_return std::optional<Part>(Part{**std::move(part), decoder_.header()->revision});
      if (decoder_.done()) {
        if (std::exchange(told_, true)) co_return std::optional<Part>();
        co_return std::optional<Part>(Part{{}, decoder_.header()->revision});
      }
      char bytes[256 * 1024];
      const ssize_t got = ::read(file_, bytes, sizeof bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0)
        co_return Error(Code::Unavailable, std::string("the backup cannot be read: ") + std::strerror(errno));
      if (got == 0) co_return Error(Code::DataLoss, "the backup is damaged: it was cut short");
      decoder_.feed({bytes, static_cast<std::size_t>(got)});
    }
  }

 private:
  const int file_;
  BackupDecoder decoder_;
  bool told_ = false;
};

}  // namespace

std::unique_ptr<store::SnapshotReader> read_backup(int file) {
  return std::make_unique<FileReader>(file);
}

// One part behind, since the last has to be marked as such.
Task<Result<BackupTotals>> transfer(std::unique_ptr<store::SnapshotReader> from, store::StorageBackend* to,
                                    TransferOptions options) {
  BackupTotals totals;
  Marking marking(std::move(options.mark));
  LoadedPart waiting;
  waiting.first = true;
  for (bool any = false;; any = true) {
    auto reading = from->next();
    auto part = co_await std::move(reading);
    if (!part) co_return std::move(part).error();
    if (any) {
      waiting.last = !*part;
      if (waiting.last) marking.finish(waiting.values);
      count(totals, waiting.values);
      auto loading = store::load_snapshot(to, std::exchange(waiting, LoadedPart()));
      const Status loaded = co_await std::move(loading);
      if (!loaded) co_return loaded.error();
      if (options.progress) options.progress(totals);
    }
    if (!*part) {
      if (!any) co_return Error(Code::DataLoss, "there is no snapshot");
      co_return totals;
    }
    waiting.values = std::move((*part)->values);
    waiting.revision = Revision((*part)->revision.get() + options.leap);
    marking.pass(waiting.values);
  }
}

Task<Result<ContentHash>> hash_content(std::unique_ptr<store::SnapshotReader> of, Progress progress) {
  ContentHash hash;
  Sha256 sha;
  const auto add = [&sha](const std::string& text) {
    sha.add(std::to_string(text.size()) + ":");
    sha.add(text);
  };
  for (;;) {
    auto reading = of->next();
    auto part = co_await std::move(reading);
    if (!part) co_return std::move(part).error();
    if (!*part) break;
    for (const KeyValue& kv : (*part)->values) {
      add(kv.key);
      add(kv.value);
    }
    count(hash.totals, (*part)->values);
    if (progress) progress(hash.totals);
  }
  hash.sha256 = sha.hex();
  co_return hash;
}

}  // namespace flotilla::backup
