// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: a disk and a clock that a test controls, for a real program. Files whose path contains
// FAULT_DISK_FILES lie on a disk that may lose what was not synced, sector by sector; at operation
// FAULT_DISK_CUT the power fails: of every sector that was written since the last sync some version is kept,
// chosen by FAULT_DISK_SEED, and the process is killed. FAULT_DISK_CONTROL names a file that holds a Control,
// which the test changes while the program runs.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace {

struct Control {
  std::int64_t clock_offset_ns;
  std::int32_t write_errno;  // of writes, truncations and creations; half of the first bytes arrive
  std::int32_t sync_errno;
  std::int32_t cut;  // the power fails now
};

constexpr off_t kSector = 512;
using Sector = std::array<char, kSector>;

struct Version {
  std::uint64_t number;  // of the write; 0: what is on the disk
  Sector bytes;
};
struct File {
  std::map<off_t, std::vector<Version>> sectors;  // written since the last sync
  off_t synced_size = 0;
};
using Inode = std::pair<dev_t, ino_t>;

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

class Disk {
 public:
  static Disk& get() {
    static Disk* disk = new Disk();  // outlives every other static
    return *disk;
  }

  const Control* control() const { return control_; }

  void opened(int fd, const char* path) {
    if (files_.empty() || fd < 0 || std::strstr(path, files_.c_str()) == nullptr) return;
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
    std::lock_guard lock(mutex_);
    descriptors_[fd] = {info.st_dev, info.st_ino};
    known_.try_emplace({info.st_dev, info.st_ino}, File{{}, info.st_size});
  }
  void closed(int fd) {
    if (files_.empty()) return;
    std::lock_guard lock(mutex_);
    descriptors_.erase(fd);
  }
  bool is_ours(int fd) {
    if (files_.empty()) return false;
    std::lock_guard lock(mutex_);
    return descriptors_.contains(fd);
  }

  ssize_t write(int fd, const void* bytes, std::size_t count, off_t at) {
    std::lock_guard lock(mutex_);
    step();
    if (control_ != nullptr && control_->write_errno != 0) {
      if (count > 1) raw_write(fd, bytes, count / 2, at);
      errno = control_->write_errno;
      return -1;
    }
    File& file = known_[descriptors_[fd]];
    const std::uint64_t number = ++writes_;
    const off_t last = at + static_cast<off_t>(count);
    for (off_t sector = at / kSector * kSector; sector < last; sector += kSector) {
      auto& versions = file.sectors[sector];
      if (versions.empty()) versions.push_back({0, read_sector(fd, sector)});
    }
    const ssize_t written = raw_write(fd, bytes, count, at);
    for (off_t sector = at / kSector * kSector; sector < last; sector += kSector)
      file.sectors[sector].push_back({number, read_sector(fd, sector)});
    return written;
  }

  int truncate(int fd, off_t size) {
    std::lock_guard lock(mutex_);
    step();
    if (control_ != nullptr && control_->write_errno != 0) {
      errno = control_->write_errno;
      return -1;
    }
    File& file = known_[descriptors_[fd]];
    file.sectors.erase(file.sectors.lower_bound(size / kSector * kSector), file.sectors.end());
    file.synced_size = std::min(file.synced_size, size);
    return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  }

  // What was written before the call is safe when it returns; what comes during it may not be.
  int sync(int fd) {
    std::uint64_t until = 0;
    off_t size = 0;
    {
      std::lock_guard lock(mutex_);
      step();
      if (control_ != nullptr && control_->sync_errno != 0) {
        errno = control_->sync_errno;
        return -1;
      }
      until = writes_;
      size = size_of(fd);
    }
    ::usleep(100);
    std::lock_guard lock(mutex_);
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) return 0;
    File& file = known_[found->second];
    file.synced_size = std::max(file.synced_size, size);
    for (auto it = file.sectors.begin(); it != file.sectors.end();) {
      auto& versions = it->second;
      std::size_t newest = 0;
      for (std::size_t i = 0; i < versions.size(); ++i)
        if (versions[i].number <= until) newest = i;
      versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(newest));
      it = versions.size() == 1 ? file.sectors.erase(it) : std::next(it);
    }
    return 0;
  }

 private:
  Disk() {
    if (const char* files = std::getenv("FAULT_DISK_FILES")) files_ = files;
    if (const char* cut = std::getenv("FAULT_DISK_CUT")) cut_ = std::strtoull(cut, nullptr, 10);
    if (const char* seed = std::getenv("FAULT_DISK_SEED")) random_.seed(std::strtoull(seed, nullptr, 10));
    const char* path = std::getenv("FAULT_DISK_CONTROL");
    if (path == nullptr) return;
    const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0));
    void* memory = ::mmap(nullptr, sizeof(Control), PROT_READ, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) control_ = static_cast<const Control*>(memory);
  }

  static ssize_t raw_write(int fd, const void* bytes, std::size_t count, off_t at) {
    return ::syscall(SYS_pwrite64, fd, bytes, count, at);
  }
  static Sector read_sector(int fd, off_t at) {
    Sector sector{};
    static_cast<void>(::syscall(SYS_pread64, fd, sector.data(), sector.size(), at));
    return sector;
  }
  static off_t size_of(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 ? info.st_size : 0;
  }

  void step() {
    ++operations_;
    const bool now = control_ != nullptr && control_->cut != 0;
    if ((cut_ != 0 && operations_ >= cut_) || now) cut_power();
  }

  // Each sector is some version of itself, whatever the others are: disks reorder and tear.
  [[noreturn]] void cut_power() {
    for (auto& [inode, file] : known_) {
      const auto open = std::find_if(descriptors_.begin(), descriptors_.end(),
                                     [&](const auto& one) { return one.second == inode; });
      if (open == descriptors_.end()) continue;
      const int fd = open->first;
      const off_t size = size_of(fd);
      for (const auto& [at, versions] : file.sectors) {
        const Version& kept = versions[random_() % versions.size()];
        const off_t length = std::min<off_t>(kSector, size - at);
        if (length > 0) raw_write(fd, kept.bytes.data(), static_cast<std::size_t>(length), at);
      }
      if (size > file.synced_size && random_() % 2 == 0) {
        const auto beyond = static_cast<std::uint64_t>(size - file.synced_size + 1);
        static_cast<void>(
            ::syscall(SYS_ftruncate, fd, file.synced_size + static_cast<off_t>(random_() % beyond)));
      }
    }
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }

  std::string files_;
  std::uint64_t cut_ = 0;
  std::mt19937_64 random_;
  const Control* control_ = nullptr;
  std::mutex mutex_;
  std::map<int, Inode> descriptors_;
  std::map<Inode, File> known_;
  std::uint64_t writes_ = 0;
  std::uint64_t operations_ = 0;
};

int open_at(int folder, const char* path, int flags, mode_t mode) {
  const int fd = static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
  if (fd < 0) return fd;
  Disk::get().opened(fd, path);
  return fd;
}

std::int64_t clock_offset() {
  const Control* control = Disk::get().control();
  return control == nullptr ? 0 : control->clock_offset_ns;
}

}  // namespace

#define MODE_OF(flags)                                  \
  mode_t mode = 0;                                      \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {         \
    va_list rest;                                       \
    va_start(rest, flags);                              \
    mode = static_cast<mode_t>(va_arg(rest, unsigned)); \
    va_end(rest);                                       \
  }

extern "C" {

int open(const char* path, int flags, ...) {
  MODE_OF(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  MODE_OF(flags)
  return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int close(int fd) {
  Disk::get().closed(fd);
  return static_cast<int>(::syscall(SYS_close, fd));
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  if (Disk::get().is_ours(fd)) return Disk::get().write(fd, bytes, count, at);
  return ::syscall(SYS_pwrite64, fd, bytes, count, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  return pwrite(fd, bytes, count, at);
}
int ftruncate(int fd, off_t size) noexcept {
  if (Disk::get().is_ours(fd)) return Disk::get().truncate(fd, size);
  return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
int ftruncate64(int fd, off64_t size) noexcept {
  return ftruncate(fd, size);
}
int fsync(int fd) {
  if (Disk::get().is_ours(fd)) return Disk::get().sync(fd);
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
int fdatasync(int fd) {
  if (Disk::get().is_ours(fd)) return Disk::get().sync(fd);
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  using Function = int (*)(clockid_t, timespec*);
  static const auto original = real<Function>("clock_gettime");
  const int result = original(clock, out);
  const std::int64_t offset = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? clock_offset() : 0;
  if (result != 0 || offset == 0) return result;
  const std::int64_t now = out->tv_sec * 1'000'000'000LL + out->tv_nsec + offset;
  out->tv_sec = now / 1'000'000'000LL;
  out->tv_nsec = now % 1'000'000'000LL;
  return result;
}
int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
