// SPDX-License-Identifier: Apache-2.0
// Where audit events go: a file of JSON lines that is rotated by size and swept by number and age. Requests
// hand their lines over without waiting; one fiber writes what has gathered. When more than `max_pending`
// wait, new ones are dropped and counted. Thread: write from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/async/event.hpp"
#include "core/async/executor.hpp"
#include "core/async/task.hpp"

namespace flotilla::apiserver {

struct AuditLogOptions {
  std::string path;
  std::int64_t max_bytes = 100ll << 20;  // of one file; 0: never rotated
  std::int64_t max_backups = 10;         // 0: all
  std::int64_t max_age_days = 0;         // 0: any
  std::size_t max_pending = 10'000;      // lines
};

class AuditLog : public std::enable_shared_from_this<AuditLog> {
 public:
  AuditLog(const Executor& executor, AuditLogOptions options);
  ~AuditLog();

  // The file can be written. Errors: Invalid with its name.
  Status open();
  void write(std::string line);
  // Writes until the fiber is cancelled.
  Task<void> run();
  // What still waits; blocks. Not while the executor has ended with work of run() undone.
  void flush();

  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Line {
    std::string text;
    Line* next = nullptr;
  };
  Line* take();  // all that wait, oldest first
  void append(Line* lines);
  void rotate();

  const Executor& executor_;
  const AuditLogOptions options_;
  std::atomic<Line*> waiting_{nullptr};  // newest first
  std::atomic<std::size_t> pending_{0};
  std::atomic<std::uint64_t> written_{0}, dropped_{0};
  std::atomic<bool> busy_{false};  // run() is writing
  Event event_;
  int file_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace flotilla::apiserver
