// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/crash_note.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

namespace flotilla::plugin {
namespace {

thread_local const char* current = nullptr;
std::array<char, 4096> crash_file{};  // set before the handler is

// Nothing but what may be done in a signal handler. The default action follows: the handler is gone already.
void write_down(int signal) {
  const char* component = current;
  if (component != nullptr) {
    constexpr char kIntro[] = "flotilla: crashed inside plugin component ";
    std::array<char, 512> text{};
    const std::size_t size = std::min(std::strlen(component), text.size() - 1);
    std::memcpy(text.data(), component, size);
    text[size] = '\n';
    const int file = ::open(crash_file.data(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    bool told = ::write(2, kIntro, sizeof kIntro - 1) > 0;
    told = ::write(2, text.data(), size + 1) > 0 && told;
    if (file >= 0) {
      told = ::write(file, text.data(), size + 1) > 0 && told;
      ::close(file);
    }
    static_cast<void>(told);
  }
  ::raise(signal);
}

struct Crash {
  std::int64_t seconds = 0;
  std::string component;
};

// Lines are "SECONDS COMPONENT", or "COMPONENT" as the handler leaves them.
std::vector<Crash> read_crashes(const std::filesystem::path& file, std::int64_t now) {
  std::vector<Crash> crashes;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Crash crash{now, line};
    if (std::int64_t seconds = 0; words >> seconds) {
      crash.seconds = seconds;
      words >> std::ws;
      std::getline(words, crash.component);
    }
    if (!crash.component.empty()) crashes.push_back(std::move(crash));
  }
  return crashes;
}

}  // namespace

CrashNote::CrashNote(const char* component) noexcept : before_(current) {
  current = component;
}

CrashNote::~CrashNote() {
  current = before_;
}

void note_crashes_in(const std::filesystem::path& file) {
  const std::string path = file.string();
  if (path.size() >= crash_file.size()) return;
  std::memcpy(crash_file.data(), path.c_str(), path.size() + 1);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    struct sigaction known {};
    if (::sigaction(signal, nullptr, &known) != 0 || known.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    action.sa_handler = write_down;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
}

void note_hang(std::string_view component, int times) {
  if (crash_file.front() == '\0') return;
  std::ofstream out(crash_file.data(), std::ios::app);
  for (int i = 0; i < times; ++i) out << component << '\n';
}

std::set<std::string> crashed_too_often(const std::filesystem::path& file, WallTime now) {
  std::set<std::string> often;
  std::error_code failed;
  if (!std::filesystem::exists(file, failed)) return often;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto window = std::chrono::duration_cast<std::chrono::seconds>(kCrashWindow).count();
  std::vector<Crash> crashes = read_crashes(file, seconds);
  std::erase_if(crashes, [&](const Crash& crash) { return crash.seconds < seconds - window; });
  if (crashes.empty()) {
    std::filesystem::remove(file, failed);
    return often;
  }
  std::ofstream out(file, std::ios::trunc);
  std::map<std::string, int> times;
  for (const Crash& crash : crashes) {
    out << crash.seconds << ' ' << crash.component << '\n';
    if (++times[crash.component] == 2) often.insert(crash.component);
  }
  return often;
}

}  // namespace flotilla::plugin
