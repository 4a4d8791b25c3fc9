// SPDX-License-Identifier: Apache-2.0
// kill -9 of a writing process at random points: whatever it was answered is there afterwards.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "tests/faults/sqlite_stage.hpp"

namespace flotilla::faults {
namespace {

struct Told {
  bool removed = false;
  bool may_be_gone = false;  // a delete was begun and not answered
  std::string value;
  std::int64_t revision = 0;
};
using Answers = std::map<std::string, Told>;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Starts the writer, kills it `delay` after its first answer, returns every line that it wrote.
std::string write_and_kill(const std::string& folder, std::uint64_t seed, std::chrono::microseconds delay) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const std::string seed_text = std::to_string(seed);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(STORAGE_WRITER, "storage_writer", folder.c_str(), seed_text.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string lines;
  char buffer[65536];
  std::thread killer;
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    lines.append(buffer, static_cast<std::size_t>(got));
    if (killer.joinable()) continue;
    killer = std::thread([child, delay] {
      std::this_thread::sleep_for(delay);  // the point of the kill, not a synchronisation
      ::kill(child, SIGKILL);
    });
  }
  if (killer.joinable()) killer.join();
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return lines;
}

std::size_t read_answers(const std::string& lines, Answers& answers) {
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
void verify(const std::string& folder, const Answers& answers) {
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

TEST(Faults_Storage, what_was_answered_survives_kill_9) {
  const std::uint64_t seed = from_environment("FAULT_SEED", std::random_device()());
  const std::uint64_t rounds = from_environment("FAULT_ROUNDS", 6);
  std::printf("FAULT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  std::string folder = testing::TempDir() + "kill-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::size_t answered = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::chrono::microseconds delay(random() % 400'000);
    const std::string lines = write_and_kill(folder, random(), delay);
    Answers answers;
    answered += read_answers(lines, answers);
    ASSERT_FALSE(answers.empty()) << "the writer told nothing";
    verify(folder, answers);
    if (HasFailure()) break;
  }
  std::printf("%zu answered writes verified over %llu kills\n", answered,
              static_cast<unsigned long long>(rounds));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace flotilla::faults
