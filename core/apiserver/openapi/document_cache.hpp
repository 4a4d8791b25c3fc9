// SPDX-License-Identifier: Apache-2.0
// Documents that were made for a client and may be asked for again: kubectl's disk cache makes that rare, so
// what nobody asks for is forgotten soon. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace flotilla::apiserver {

class DocumentCache {
 public:
  using Text = std::shared_ptr<const std::string>;

  // Null when it is not there or was made of something else.
  Text find(const std::string& key, const std::string& hash) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.hash != hash) return nullptr;
    found->second.used = true;
    return found->second.text;
  }

  // True when somebody has to call forget_unused() from now on.
  bool keep(const std::string& key, const std::string& hash, Text text) {
    const std::lock_guard lock(mutex_);
    const bool first = entries_.empty();
    entries_[key] = {hash, std::move(text), true};
    return first;
  }

  // What was not used since the last time. False when nothing is left.
  bool forget_unused() {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [](const auto& entry) { return !entry.second.used; });
    for (auto& [key, entry] : entries_) entry.used = false;
    return !entries_.empty();
  }

 private:
  struct Entry {
    std::string hash;
    Text text;
    bool used = false;
  };
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace flotilla::apiserver
