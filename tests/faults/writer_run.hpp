// SPDX-License-Identifier: Apache-2.0
// One run of fault_storage_writer until it dies, what it was answered, and whether that is there.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/sqlite_stage.hpp"

namespace flotilla::faults {

struct Told {
  bool removed = false;
  bool may_be_gone = false;  // a delete was begun and not answered
  std::string value;
  std::int64_t revision = 0;
};
using Answers = std::map<std::string, Told>;

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct WriterRun {
  std::vector<std::string> environment = {};           // added to ours
  std::optional<std::chrono::microseconds> kill = {};  // so long after its first answer

  // Every line that it wrote.
  std::string go(const std::string& folder, std::uint64_t seed) const {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return {};
    const std::string seed_text = std::to_string(seed);
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      for (const std::string& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
      ::execl(STORAGE_WRITER, "storage_writer", folder.c_str(), seed_text.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    std::string lines;
    char buffer[65536];
    std::thread killer;
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
      lines.append(buffer, static_cast<std::size_t>(got));
      if (killer.joinable() || !kill) continue;
      killer = std::thread([child, delay = *kill] {
        std::this_thread::sleep_for(delay);  // the point of the kill, not a synchronisation
        ::kill(child, SIGKILL);
      });
    }
    if (killer.joinable()) killer.join();
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself with " << WEXITSTATUS(status);
    return lines;
  }
};

inline std::size_t read_answers(const std::string& lines, Answers& answers) {
  std::istringstream in(lines);
  std::string what, name, value;
  std::int64_t revision = 0;
  std::size_t count = 0;
  while (in >> what >> name >> value >> revision) {
    if (what == "try") {
      answers[name].may_be_gone = true;
      continue;
    }
    answers[name] = {what == "del", false, value, revision};
    ++count;
  }
  return count;
}

// The one write of a key that may have been on its way when the process died is allowed to be there.
inline void verify(const std::string& folder, const Answers& answers) {
  SqliteStage stage(folder);
  const Status opened = stage.open();
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  for (const auto& [name, told] : answers) {
    ASSERT_GE(stage.store().revision().get(), told.revision);
    const api::ObjectPtr object = stage.store().get(kThings, "faults", name);
    if (!object) {
      EXPECT_TRUE(told.removed || told.may_be_gone)
          << name << " is gone, revision " << told.revision << " was answered";
      continue;
    }
    ASSERT_GE(object->revision().get(), told.revision) << name << " is older than what was answered";
    if (object->revision().get() == told.revision && told.revision != 0) {
      EXPECT_FALSE(told.removed) << name;
      EXPECT_EQ((*object->content())["data"]["value"].as_string(), told.value) << name;
    }
  }
}

}  // namespace flotilla::faults
