// SPDX-License-Identifier: Apache-2.0
// Lua patterns (reference manual of Lua 5.1, section 5.4.1) with their work counted. The library's own
// matcher can neither be interrupted nor be given a bound, and a pattern like ".-.-.-.-x" takes ages on a
// short text.
//
//   PatternMatcher matcher(subject, pattern, steps);
//   const char* end = matcher.match(subject.data() + 3);   // null: no match begins there, or fault()
//
// Of trivially destructible parts alone: a Lua error may jump over it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flotilla::interpreter {

class PatternMatcher {
 public:
  static constexpr int kMaxItems = 256;
  static constexpr int kMaxCaptures = 32;

  // What one pair of parentheses holds. `()` is the position alone.
  struct Capture {
    const char* begin;
    const char* end;
    bool position;
  };

  // `steps` is counted down; at zero everything fails. All three outlive the matcher. A leading ^ is not
  // looked at: the caller strips it and asks for one start alone.
  PatternMatcher(std::string_view subject, std::string_view pattern, std::uint64_t& steps);

  // The end of the match that begins at `start`.
  const char* match(const char* start);
  // Of the last match.
  int captures() const { return capture_count_; }
  const Capture& capture(int index) const { return captures_[static_cast<std::size_t>(index)]; }
  // Why nothing can match; null when nothing is wrong.
  const char* fault() const { return fault_; }

 private:
  enum class Kind : std::uint8_t { Single, Open, Position, Close, Balance, Frontier, Again, End };
  struct Item {
    Kind kind;
    char repeat;        // of Single: 0 once, or one of * + - ?
    const char* begin;  // of the class: "a", "%d", "[...]"; of Balance: the two characters
    const char* end;
    int number;  // of Again: which capture
  };

  void compile(std::string_view pattern);
  const char* compile_escape(const char* at, const char* end, Item& item);
  const char* class_end(const char* at, const char* end);
  void fail(const char* why);
  bool spend(std::uint64_t steps);

  const char* run(int item, const char* at);
  const char* run_single(int item, const char* at);
  const char* run_close(int item, const char* at);
  const char* balance(const Item& item, const char* at);
  const char* again(const Item& item, const char* at);
  bool is_frontier(const Item& item, const char* at);
  bool fits(const Item& item, const char* at);

  std::string_view subject_;
  std::uint64_t& steps_;
  const char* fault_ = nullptr;
  int item_count_ = 0;
  int capture_count_ = 0;
  std::array<Item, kMaxItems> items_;
  std::array<Capture, kMaxCaptures> captures_;
};

}  // namespace flotilla::interpreter
