// SPDX-License-Identifier: Apache-2.0
#include "core/base/memory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace flotilla {
namespace {

// Pages of files and shared memory that this process has in memory.
long file_pages() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0, shared = 0;
  statm >> size >> resident >> shared;
  return shared;
}

int relocated(int value) {
  return value + 1;
}
// Lies where the loader writes addresses: what it wrote must stay.
int (*const kTable[])(int) = {relocated, relocated};

TEST(Base_Memory, a_program_that_was_given_back_goes_on) {
  std::string text = "constants of the program";
  const long before = file_pages();
  give_back_program();
  EXPECT_LT(file_pages(), before);
  EXPECT_EQ(text + ", tables", "constants of the program, tables");
  volatile std::size_t at = 1;
  EXPECT_EQ(kTable[at](41), 42);
}

}  // namespace
}  // namespace flotilla
