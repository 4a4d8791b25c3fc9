// SPDX-License-Identifier: Apache-2.0
// A value with the path that led to it and the place where its errors go: validation rules are written in it.
//
//   spec["replicas"].not_negative();
//   for (FieldView port : spec["ports"].each()) port["port"].port_number();
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/validation/field_error.hpp"

namespace flotilla::api {

class FieldView {
 public:
  FieldView(const Json& value, std::string path, FieldErrors& errors)
      : value_(&value), path_(std::move(path)), errors_(&errors) {}

  FieldView operator[](std::string_view name) const {
    return {(*value_)[name], at_field(path_, name), *errors_};
  }
  FieldView element(std::size_t index) const {
    return {value_->element(index), at_index(path_, index), *errors_};
  }
  std::vector<FieldView> each() const;

  const Json& value() const { return *value_; }
  const std::string& path() const { return path_; }
  FieldErrors& errors() const { return *errors_; }
  std::string_view text() const { return value_->as_string(); }
  std::int64_t number(std::int64_t otherwise = 0) const { return value_->as_int(otherwise); }
  std::size_t size() const { return value_->size(); }
  // Something is there: not null, not "".
  bool given() const { return !value_->is_null() && !(value_->is_string() && text().empty()); }
  // Elements or members.
  bool filled() const { return !value_->empty(); }

  // Errors about this value. All give false when they found something.
  bool require(std::string_view detail = {}) const;
  bool invalid(std::string_view detail) const;
  bool forbid(std::string_view detail) const;
  bool one_of(std::initializer_list<std::string_view> allowed) const;
  bool required_one_of(std::initializer_list<std::string_view> allowed) const;
  bool not_negative() const;
  bool dns_label() const;
  bool dns_subdomain() const;
  bool port_number() const;
  bool immutable(const Json& before) const;
  // Every message of a checker becomes an Invalid error.
  bool messages(const std::vector<std::string>& found) const;

 private:
  const Json* value_;
  std::string path_;
  FieldErrors* errors_;
};

// What is wrong with a name, in Kubernetes' words; empty when nothing is. For a prefix (generateName) a
// trailing dash is fine.
std::vector<std::string> check_dns_label(std::string_view name, bool prefix = false);
std::vector<std::string> check_dns_subdomain(std::string_view name, bool prefix = false);
std::vector<std::string> check_dns1035_label(std::string_view name, bool prefix = false);
std::vector<std::string> check_path_segment(std::string_view name, bool prefix = false);
std::vector<std::string> check_qualified_name(std::string_view name);
std::vector<std::string> check_label_value(std::string_view value);
std::vector<std::string> check_config_key(std::string_view key);
std::vector<std::string> check_port_name(std::string_view name);
std::vector<std::string> check_env_name(std::string_view name);

// metav1.LabelSelector and maps of labels.
void validate_label_selector(const FieldView& selector);
void validate_labels(const FieldView& labels);
// A quantity as Go's %#v prints it.
std::string go_quantity(const Json& value);
// A list of strings likewise: []string{"a", "b"}.
std::string go_strings(const Json& list);
// What differs between two structs, in the frame that Go's comparison prints.
std::string go_difference(std::string_view type, const Json& before, const Json& after);
// "25%" or a number.
bool validate_int_or_percent(const FieldView& value);

}  // namespace flotilla::api
