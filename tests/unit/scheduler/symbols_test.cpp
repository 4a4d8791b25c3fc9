// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/symbols.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flotilla::scheduler {
namespace {

TEST(Scheduler_Symbols, gives_equal_texts_equal_numbers_however_many_there_are) {
  Symbols symbols;
  for (int i = 0; i < 1000; ++i) symbols.intern("text" + std::to_string(i));
  EXPECT_EQ(symbols.size(), 1001u);
  for (int i = 0; i < 1000; ++i) {
    std::string text = "text" + std::to_string(i);
    EXPECT_EQ(symbols.intern(text), symbols.find(text));
    EXPECT_EQ(symbols.text(symbols.find(text)), text);
  }
}

TEST(Scheduler_Symbols, knows_the_empty_text_from_the_unknown) {
  Symbols symbols;
  EXPECT_EQ(symbols.find(""), kNoSym);
  EXPECT_EQ(symbols.intern(""), kNoSym);
  EXPECT_EQ(symbols.find("nothing"), kUnknownSym);
  EXPECT_EQ(symbols.text(kUnknownSym), "");
}

TEST(Scheduler_Symbols, keeps_a_copy_as_it_was) {
  Symbols symbols;
  symbols.intern("a");
  Symbols copy = symbols;
  symbols.intern("b");
  EXPECT_EQ(copy.find("b"), kUnknownSym);
  EXPECT_EQ(copy.text(copy.find("a")), "a");
}

}  // namespace
}  // namespace flotilla::scheduler
