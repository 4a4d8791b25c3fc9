// SPDX-License-Identifier: Apache-2.0
// A shared mutex for sections of a microsecond or two: who finds it taken tries for about as long as a
// section takes before it goes to sleep, since falling asleep and being woken costs both sides several of
// them.
#pragma once

#include <shared_mutex>
#include <thread>

namespace flotilla {

class SpinningMutex {
 public:
  void lock() {
    for (int tries = 0; tries < kTries; ++tries) {
      if (mutex_.try_lock()) return;
      pause();
    }
    mutex_.lock();
  }
  void lock_shared() {
    for (int tries = 0; tries < kTries; ++tries) {
      if (mutex_.try_lock_shared()) return;
      pause();
    }
    mutex_.lock_shared();
  }
  bool try_lock() { return mutex_.try_lock(); }
  bool try_lock_shared() { return mutex_.try_lock_shared(); }
  void unlock() { mutex_.unlock(); }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  static constexpr int kTries = 64;  // some three microseconds

  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#else
    std::this_thread::yield();
#endif
  }

  std::shared_mutex mutex_;
};

}  // namespace flotilla
