// SPDX-License-Identifier: Apache-2.0
// What is wrong with an expression, and where. Internal to core/cel.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::cel {

struct Fault {
  std::uint32_t position = 0;  // bytes from the start of the expression
  std::string message;
};

class Faults {
 public:
  void add(std::uint32_t position, std::string message) { all_.push_back({position, std::move(message)}); }
  bool empty() const { return all_.empty(); }
  // By position: "ERROR: <input>:1:5: MESSAGE\n | LINE\n | ....^".
  std::string text(std::string_view expression) const;

 private:
  std::vector<Fault> all_;
};

}  // namespace flotilla::cel
