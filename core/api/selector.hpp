// SPDX-License-Identifier: Apache-2.0
// Which objects a request or a policy speaks of, by their labels and by their fields.
//
//   LabelSelector: k, !k, k=v, k!=v, k in (a,b), k notin (a,b), k>5; or metav1.LabelSelector as an object.
//   FieldSelector: path=value, path!=value, comma means and.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

// One condition on one label. `values` is sorted and free of doubles.
struct Requirement {
  enum class Operator : std::uint8_t { In, NotIn, Exists, DoesNotExist, GreaterThan, LessThan };

  std::string key;
  Operator op = Operator::Exists;
  std::vector<std::string> values;

  // Checks key and values as Kubernetes does. Errors: Invalid.
  static Result<Requirement> make(std::string_view key, Operator op, std::vector<std::string> values);

  bool matches(std::optional<std::string_view> value) const;
  bool operator==(const Requirement&) const = default;
};

class LabelSelector {
 public:
  // Gives the value of a label, or nothing where the label is absent.
  using Lookup = std::function<std::optional<std::string_view>(std::string_view key)>;

  LabelSelector() = default;  // selects everything
  explicit LabelSelector(std::vector<Requirement> requirements) : requirements_(std::move(requirements)) {}
  static LabelSelector nothing();

  // As in the query parameter; the empty text selects everything. Errors: BadRequest, worded as Kubernetes
  // does.
  static Result<LabelSelector> parse(std::string_view text);
  // metav1.LabelSelector: null selects nothing, {} everything. Errors: Invalid.
  static Result<LabelSelector> from_json(const Json& selector);
  // core v1 NodeSelectorRequirement list, all of which must hold; an empty list selects nothing. Errors:
  // Invalid.
  static Result<LabelSelector> from_node_requirements(const Json& expressions);

  bool matches(const Json& labels) const;  // a map of strings
  bool matches(const Lookup& lookup) const;

  bool selects_everything() const { return !nothing_ && requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  std::string to_string() const;  // what parse() reads

 private:
  std::vector<Requirement> requirements_;
  bool nothing_ = false;
};

class FieldSelector {
 public:
  struct Term {
    std::string path;
    std::string value;
    bool equal = true;  // or not equal
    bool operator==(const Term&) const = default;
  };
  // Gives the value of a field as text, empty where it is unset.
  using Lookup = std::function<std::string_view(std::string_view path)>;

  // Errors: BadRequest. Whether a kind knows a field is for the caller to say.
  static Result<FieldSelector> parse(std::string_view text);

  bool matches(const Lookup& lookup) const;
  // The value that `path` has to have, where the selector demands one.
  std::optional<std::string_view> demanded(std::string_view path) const;

  bool selects_everything() const { return terms_.empty(); }
  const std::vector<Term>& terms() const { return terms_; }
  std::string to_string() const;

 private:
  std::vector<Term> terms_;
};

// What is wrong with a label key ([prefix/]name) or value, in Kubernetes' words; empty when nothing is.
std::vector<std::string> validate_label_key(std::string_view key);
std::vector<std::string> validate_label_value(std::string_view value);

}  // namespace flotilla::api
