// SPDX-License-Identifier: Apache-2.0
#include "core/api/patch/field_set.hpp"

#include <algorithm>

namespace flotilla::api {
namespace {

// Field names before keys, keys before values, values before indices.
int rank(std::string_view element) {
  switch (element.empty() ? ' ' : element[0]) {
    case 'f':
      return 0;
    case 'k':
      return 1;
    case 'v':
      return 2;
    default:
      return 3;
  }
}

}  // namespace

std::string field_element(std::string_view name) {
  return "f:" + std::string(name);
}

std::string print_element(std::string_view element) {
  const std::string_view rest = element.size() > 2 ? element.substr(2) : std::string_view();
  if (element.starts_with("f:")) return "." + std::string(rest);
  if (element.starts_with("v:")) return "[=" + std::string(rest) + "]";
  if (element.starts_with("k:")) {
    auto keys = Json::parse(rest);
    if (!keys) return "[" + std::string(rest) + "]";
    std::string out = "[";
    for (const auto& [name, value] : keys->members()) {
      if (out.size() > 1) out += ",";
      out += std::string(name) + "=" + value.dump();
    }
    return out + "]";
  }
  return "[" + std::string(rest) + "]";
}

FieldSet FieldSet::from_json(const Json& fields_v1) {
  FieldSet set;
  for (const auto& [key, value] : fields_v1.members()) {
    if (key == ".") {
      set.member_ = true;
      continue;
    }
    FieldSet below = from_json(value);
    if (below.children_.empty()) below.member_ = true;
    set.children_.emplace(std::string(key), std::move(below));
  }
  return set;
}

Json FieldSet::to_json() const {
  Json out = Json::object();
  if (member_ && !children_.empty()) out.set(".", Json::object());
  for (const auto& [element, below] : children_) {
    if (!below.empty()) out.set(element, below.to_json());
  }
  return out;
}

FieldSet& FieldSet::child(std::string_view element) {
  const auto at = children_.find(element);
  return at != children_.end() ? at->second : children_[std::string(element)];
}

const FieldSet* FieldSet::find(std::string_view element) const {
  const auto at = children_.find(element);
  return at == children_.end() ? nullptr : &at->second;
}

void FieldSet::insert(const std::vector<std::string>& path) {
  FieldSet* node = this;
  for (const std::string& element : path) node = &node->child(element);
  if (node != this) node->member_ = true;
}

FieldSet FieldSet::of(std::initializer_list<std::initializer_list<std::string_view>> paths) {
  FieldSet set;
  for (const auto& path : paths) {
    std::vector<std::string> elements;
    for (const std::string_view name : path) elements.push_back(field_element(name));
    set.insert(elements);
  }
  return set;
}

void FieldSet::add(const FieldSet& other) {
  member_ = member_ || other.member_;
  for (const auto& [element, below] : other.children_) child(element).add(below);
}

void FieldSet::remove(const FieldSet& other) {
  if (other.member_) member_ = false;
  for (const auto& [element, below] : other.children_) {
    const auto at = children_.find(element);
    if (at == children_.end()) continue;
    at->second.remove(below);
    if (at->second.empty()) children_.erase(at);
  }
}

void FieldSet::remove_with_descendants(const FieldSet& other) {
  for (const auto& [element, below] : other.children_) {
    const auto at = children_.find(element);
    if (at == children_.end()) continue;
    if (!below.member_) at->second.remove_with_descendants(below);
    if (below.member_ || at->second.empty()) children_.erase(at);
  }
}

FieldSet FieldSet::intersection(const FieldSet& other) const {
  FieldSet both;
  both.member_ = member_ && other.member_;
  for (const auto& [element, below] : children_) {
    const FieldSet* there = other.find(element);
    if (!there) continue;
    FieldSet common = below.intersection(*there);
    if (!common.empty()) both.children_.emplace(element, std::move(common));
  }
  return both;
}

FieldSet FieldSet::with_named_fields(const Schema& schema) const {
  FieldSet out;
  out.member_ = member_;
  for (const auto& [element, below] : children_) {
    const Schema* inner = &schema.items();
    bool declared = false;
    if (element.starts_with("f:") && schema.is(SchemaKind::Struct)) {
      const Schema* of_field = schema.member(std::string_view(element).substr(2));
      declared = of_field != nullptr;
      inner = of_field ? of_field : &Schema::any();
    }
    FieldSet child = below.with_named_fields(*inner);
    if (declared && !child.children_.empty()) child.member_ = true;
    out.children_.emplace(element, std::move(child));
  }
  return out;
}

void FieldSet::collect(const std::string& prefix, std::vector<std::string>& out) const {
  std::vector<const Children::value_type*> order;
  for (const auto& one : children_) order.push_back(&one);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return rank(a->first) < rank(b->first); });
  // Members of this level before what lies deeper.
  for (const auto* one : order) {
    if (one->second.member_) out.push_back(prefix + print_element(one->first));
  }
  for (const auto* one : order) one->second.collect(prefix + print_element(one->first), out);
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> out;
  collect("", out);
  return out;
}

}  // namespace flotilla::api
