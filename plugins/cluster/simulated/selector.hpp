// SPDX-License-Identifier: Apache-2.0
// Label selectors of list and watch: "a=b,c!=d,e in (f,g),h notin (i),j,!k".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::simulated {

using Labels = std::map<std::string, std::string>;

class LabelSelector {
 public:
  // Throws sdk::Failure (400) for what is no selector.
  static LabelSelector parse(std::string_view text);
  bool matches(const Labels& labels) const;
  bool empty() const { return requirements_.empty(); }

 private:
  enum class Operator { In, NotIn, Exists, Absent };
  struct Requirement {
    std::string key;
    Operator op;
    std::vector<std::string> values;
  };
  static Requirement parse_one(std::string_view text);
  std::vector<Requirement> requirements_;
};

}  // namespace flotilla::simulated
