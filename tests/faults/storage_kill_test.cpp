// SPDX-License-Identifier: Apache-2.0
// kill -9 of a writing process at random points: whatever it was answered is there afterwards.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "tests/faults/writer_run.hpp"

namespace flotilla::faults {
namespace {

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
    WriterRun run;
    run.kill = delay;
    const std::string lines = run.go(folder, random());
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
