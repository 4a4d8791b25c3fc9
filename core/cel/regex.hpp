// SPDX-License-Identifier: Apache-2.0
// RE2 behind a wall. Thread: any may use one pattern at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::cel {

class Regex {
 public:
  ~Regex();
  // Errors: Invalid, worded as Go's regexp does where that is known.
  static Result<std::shared_ptr<const Regex>> compile(std::string_view pattern);

  // Anywhere in the text.
  bool matches(std::string_view text) const;
  // The first match, empty when there is none.
  std::string find(std::string_view text) const;
  // Successive matches, `limit` of them at most (negative: all).
  std::vector<std::string> find_all(std::string_view text, std::int64_t limit) const;

 private:
  struct State;
  explicit Regex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::cel
