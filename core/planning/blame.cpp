// SPDX-License-Identifier: Apache-2.0
#include "core/planning/blame.hpp"

#include <algorithm>

#include "core/planning/fields.hpp"

namespace flotilla::planning {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// For each element of `after` the one of `before` that it was, or kNone.
std::vector<std::size_t> match_elements(const Json& before, const Json& after) {
  std::vector<std::size_t> from(after.size(), kNone);
  const std::string_view key = element_key(before);
  if (!key.empty() && key == element_key(after)) {
    for (std::size_t i = 0; i < after.size(); ++i) {
      for (std::size_t j = 0; j < before.size(); ++j) {
        if (before.element(j)[key] == after.element(i)[key]) from[i] = j;
      }
    }
    return from;
  }
  if (before.size() == after.size()) {
    for (std::size_t i = 0; i < after.size(); ++i) from[i] = i;
    return from;
  }
  // What is the same at both ends stays; the middle is new.
  const std::size_t most = std::min(before.size(), after.size());
  std::size_t head = 0, tail = 0;
  while (head < most && before.element(head) == after.element(head)) ++head;
  while (tail < most - head &&
         before.element(before.size() - 1 - tail) == after.element(after.size() - 1 - tail))
    ++tail;
  for (std::size_t i = 0; i < head; ++i) from[i] = i;
  for (std::size_t i = 0; i < tail; ++i) from[after.size() - 1 - i] = before.size() - 1 - i;
  return from;
}

}  // namespace

std::string pointer_step(std::string_view key) {
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

void Blame::advance(const Json& before, const Json& after, int by) {
  change(root_, before, after, by, "");
}

void Blame::change(Node& node, const Json& before, const Json& after, int by, const std::string& pointer) {
  if (before == after) return;
  if (before.is_array() && after.is_array()) return change_list(node, before, after, by, pointer);
  if (!before.is_object() || !after.is_object()) {
    node = Node{by, {}, {}};
    return;
  }
  for (const auto& [key, value] : before.members()) {
    if (after.contains(key)) continue;
    removed_.push_back({pointer + pointer_step(key), by});
    node.members.erase(std::string(key));
  }
  for (const auto& [key, value] : after.members()) {
    const Json* was = before.find(key);
    if (was != nullptr && *was == value) continue;
    const auto [it, fresh] = node.members.try_emplace(std::string(key));
    if (fresh) it->second.by = node.by;
    if (was == nullptr) {
      it->second = Node{by, {}, {}};
    } else {
      change(it->second, *was, value, by, pointer + pointer_step(key));
    }
  }
}

void Blame::change_list(Node& node, const Json& before, const Json& after, int by,
                        const std::string& pointer) {
  std::vector<Node> old = std::move(node.elements);
  old.resize(before.size(), Node{node.by, {}, {}});
  const std::vector<std::size_t> from = match_elements(before, after);
  std::vector<bool> kept(before.size());
  node.elements.clear();
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::string below = pointer + "/" + std::to_string(i);
    if (from[i] == kNone) {
      node.elements.push_back(Node{by, {}, {}});
      continue;
    }
    kept[from[i]] = true;
    Node element = old[from[i]];
    change(element, before.element(from[i]), after.element(i), by, below);
    node.elements.push_back(std::move(element));
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) removed_.push_back({pointer + "/" + std::to_string(i), by});
  }
}

void Blame::collect(const Node& node, int above, const std::string& pointer, std::vector<Part>& out) {
  if (node.by != above) out.push_back({pointer, node.by});
  for (const auto& [key, member] : node.members) collect(member, node.by, pointer + pointer_step(key), out);
  for (std::size_t i = 0; i < node.elements.size(); ++i)
    collect(node.elements[i], node.by, pointer + "/" + std::to_string(i), out);
}

std::vector<Blame::Part> Blame::written() const {
  std::vector<Part> out;
  collect(root_, 0, "", out);
  return out;
}

}  // namespace flotilla::planning
