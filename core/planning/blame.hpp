// SPDX-License-Identifier: Apache-2.0
// Who wrote which part of a document that several hands have changed in turn. Pure.
//
//   Blame blame;                       // all of it: the first hand, number 0
//   blame.advance(first, second, 1);   // what differs: hand 1
//   blame.advance(second, third, 2);
//   blame.written();                   // [{"/spec/replicas", 1}, ...]
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::planning {

using api::Json;

class Blame {
 public:
  struct Part {
    std::string pointer;  // RFC 6901
    int by;
  };

  void advance(const Json& before, const Json& after, int by);
  // The topmost parts that another hand than the first wrote, and below them those that yet another did.
  std::vector<Part> written() const;
  // What was taken away, as it was called then.
  const std::vector<Part>& removed() const { return removed_; }

 private:
  struct Node {
    int by = 0;
    // What differs from `by`, where something does.
    std::map<std::string, Node> members;
    std::vector<Node> elements;  // as many as the list has, or none
  };
  void change(Node& node, const Json& before, const Json& after, int by, const std::string& pointer);
  void change_list(Node& node, const Json& before, const Json& after, int by, const std::string& pointer);
  static void collect(const Node& node, int above, const std::string& pointer, std::vector<Part>& out);

  Node root_;
  std::vector<Part> removed_;
};

// A step of a JSON pointer.
std::string pointer_step(std::string_view key);

}  // namespace flotilla::planning
