// SPDX-License-Identifier: Apache-2.0
// Power loss: a disk that forgets what was not synced, sector by sector, at a random moment. Whatever was
// answered is there afterwards, and the file opens.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "tests/faults/writer_run.hpp"

namespace flotilla::faults {
namespace {

TEST(Faults_Storage, what_was_answered_survives_power_loss) {
  const std::uint64_t seed = from_environment("FAULT_SEED", std::random_device()());
  const std::uint64_t rounds = from_environment("FAULT_ROUNDS", 20);
  std::printf("FAULT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  std::string folder = testing::TempDir() + "power-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::size_t answered = 0;
  for (std::uint64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    // Small numbers too: right after the start, within a checkpoint.
    const std::uint64_t cut = 1 + random() % (random() % 4 == 0 ? 60 : 4000);
    WriterRun run;
    run.environment = {"LD_PRELOAD=" FAULT_DISK, "FAULT_DISK_FILES=flotilla.db",
                       "FAULT_DISK_CUT=" + std::to_string(cut),
                       "FAULT_DISK_SEED=" + std::to_string(random())};
    Answers answers;
    answered += read_answers(run.go(folder, random()), answers);
    verify(folder, answers);
    if (testing::Test::HasFailure())
      std::printf("round %llu, cut %llu\n", static_cast<unsigned long long>(round),
                  static_cast<unsigned long long>(cut));
  }
  std::printf("%zu answered writes verified over %llu power failures\n", answered,
              static_cast<unsigned long long>(rounds));
  if (!testing::Test::HasFailure()) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace flotilla::faults
