// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/audit/audit_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "core/base/log.hpp"

namespace flotilla::apiserver {
namespace {

const Logger kLog("audit");
constexpr Duration kGather = std::chrono::milliseconds(50);

// audit.log becomes audit-2026-01-02T03-04-05.678.log.
std::string backup_name(const std::string& path, WallTime now) {
  const std::filesystem::path file(path);
  std::string stamp = format_micro_time(now);
  stamp.resize(23);  // to thousandths
  std::replace(stamp.begin(), stamp.end(), ':', '-');
  return (file.parent_path() / (file.stem().string() + "-" + stamp + file.extension().string())).string();
}

std::vector<std::filesystem::path> backups_of(const std::string& path) {
  const std::filesystem::path file(path);
  std::vector<std::filesystem::path> found;
  std::error_code failed;
  const auto folder = file.parent_path().empty() ? std::filesystem::path(".") : file.parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(file.stem().string() + "-20") && name.ends_with(file.extension().string()))
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(), std::greater<>());  // the newest first
  return found;
}

}  // namespace

AuditLog::AuditLog(const Executor& executor, AuditLogOptions options)
    : executor_(executor), options_(std::move(options)) {}

AuditLog::~AuditLog() {
  if (Line* lines = take()) append(lines);
  if (file_ >= 0) ::close(file_);
}

Status AuditLog::open() {
  file_ = ::open(options_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file_ < 0)
    return Error(Code::Invalid, "audit log " + options_.path + ": " + std::string(std::strerror(errno)));
  struct stat about {};
  if (::fstat(file_, &about) == 0) size_ = about.st_size;
  return {};
}

void AuditLog::write(std::string line) {
  if (pending_.fetch_add(1, std::memory_order_relaxed) >= options_.max_pending) {
    pending_.fetch_sub(1, std::memory_order_relaxed);
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto* const fresh = new Line{std::move(line), nullptr};
  Line* head = waiting_.load(std::memory_order_relaxed);
  do {
    fresh->next = head;
  } while (
      !waiting_.compare_exchange_weak(head, fresh, std::memory_order_release, std::memory_order_relaxed));
  if (head == nullptr) event_.notify();
}

AuditLog::Line* AuditLog::take() {
  Line* newest = waiting_.exchange(nullptr, std::memory_order_acquire);
  Line* oldest = nullptr;
  while (newest != nullptr) {
    Line* const next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

void AuditLog::append(Line* lines) {
  std::string block;
  while (lines != nullptr) {
    block.append(lines->text).push_back('\n');
    Line* const done = lines;
    lines = lines->next;
    delete done;
    pending_.fetch_sub(1, std::memory_order_relaxed);
    written_.fetch_add(1, std::memory_order_relaxed);
  }
  if (block.empty() || file_ < 0) return;
  if (options_.max_bytes > 0 && size_ > 0 &&
      size_ + static_cast<std::int64_t>(block.size()) > options_.max_bytes) {
    rotate();
  }
  std::string_view left = block;
  while (!left.empty() && file_ >= 0) {
    const ssize_t count = ::write(file_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      kLog.error("audit events are lost", {{"file", options_.path}, {"error", std::strerror(errno)}});
      return;
    }
    left.remove_prefix(static_cast<std::size_t>(count));
    size_ += count;
  }
}

void AuditLog::rotate() {
  const WallTime now = executor_.clock().now();
  std::error_code failed;
  std::filesystem::rename(options_.path, backup_name(options_.path, now), failed);
  ::close(file_);
  file_ = -1;
  size_ = 0;
  if (auto opened = open(); !opened)
    kLog.error("audit log cannot be opened", {{"error", opened.error().message()}});
  const auto backups = backups_of(options_.path);
  for (std::size_t i = 0; i < backups.size(); ++i) {
    bool gone = options_.max_backups > 0 && i >= static_cast<std::size_t>(options_.max_backups);
    struct stat about {};
    if (options_.max_age_days > 0 && ::stat(backups[i].c_str(), &about) == 0) {
      const auto written = std::chrono::system_clock::from_time_t(about.st_mtime);
      gone = gone || now - written > std::chrono::hours(24 * options_.max_age_days);
    }
    if (gone) std::filesystem::remove(backups[i], failed);
  }
}

Task<void> AuditLog::run() {
  for (;;) {
    const auto seen = event_.version();
    if (Line* lines = take()) {
      busy_.store(true);
      const auto self = shared_from_this();
      auto writing = run_blocking(executor_, [self, lines] {
        self->append(lines);
        self->busy_.store(false);
      });
      co_await std::move(writing);
      auto gathering = sleep_for(kGather);
      if (!co_await std::move(gathering)) co_return;
      continue;
    }
    auto waiting = event_.wait_past(seen);
    if (!co_await std::move(waiting)) co_return;
  }
}

void AuditLog::flush() {
  while (busy_.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (Line* lines = take()) append(lines);
}

}  // namespace flotilla::apiserver
