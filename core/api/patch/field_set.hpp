// SPDX-License-Identifier: Apache-2.0
// A set of field paths, as metadata.managedFields[].fieldsV1 writes it (k8s-api 5.5): a trie whose edges are
// path elements
//   f:NAME     a struct's field or a map's key
//   k:{...}    an element of a list of type map, its keys as compact JSON, sorted by name
//   v:JSON     an element of a set
//   i:N        an index (read, never made)
// and whose nodes say whether the path itself is a member.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/schema/schema.hpp"

namespace flotilla::api {

class FieldSet {
 public:
  using Children = std::map<std::string, FieldSet, std::less<>>;

  // What is no fieldsV1 gives what could be read of it.
  static FieldSet from_json(const Json& fields_v1);
  Json to_json() const;

  // This node is a member. The root never is.
  bool member() const { return member_; }
  void set_member(bool member) { member_ = member; }
  const Children& children() const { return children_; }
  FieldSet& child(std::string_view element);
  const FieldSet* find(std::string_view element) const;
  bool empty() const { return !member_ && children_.empty(); }
  bool operator==(const FieldSet&) const = default;

  void insert(const std::vector<std::string>& path);
  // One path of field names: {"metadata", "name"}.
  static FieldSet of(std::initializer_list<std::initializer_list<std::string_view>> paths);

  void add(const FieldSet& other);
  void remove(const FieldSet& other);  // exact members only
  // Members and everything below them.
  void remove_with_descendants(const FieldSet& other);
  FieldSet intersection(const FieldSet& other) const;
  // Also makes members of the declared fields that have something below them.
  FieldSet with_named_fields(const Schema& schema) const;

  // ".spec.containers[name=\"a\"].image", in the order in which Kubernetes lists them.
  std::vector<std::string> paths() const;

 private:
  void collect(const std::string& prefix, std::vector<std::string>& out) const;

  bool member_ = false;
  Children children_;
};

// "f:NAME".
std::string field_element(std::string_view name);
// ".name", "[name=\"a\"]", "[=\"x\"]", "[0]".
std::string print_element(std::string_view element);

}  // namespace flotilla::api
