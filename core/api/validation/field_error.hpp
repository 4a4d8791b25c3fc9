// SPDX-License-Identifier: Apache-2.0
// Field errors as Kubernetes words them (k8s-api 3.3): path, prefix, value, detail; and the Invalid error
// that collects them.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/schema/registry.hpp"
#include "core/base/error.hpp"

namespace flotilla::api {

class FieldErrors {
 public:
  void required(std::string_view path, std::string_view detail = {});
  // Strings are quoted, numbers plain, null is `null`, what is larger is printed as JSON.
  void invalid(std::string_view path, const Json& value, std::string_view detail);
  void type_invalid(std::string_view path, const Json& value, std::string_view detail);
  void not_supported(std::string_view path, const Json& value, std::span<const std::string_view> supported);
  void not_supported(std::string_view path, const Json& value,
                     std::initializer_list<std::string_view> supported);
  void forbidden(std::string_view path, std::string_view detail);
  void too_long(std::string_view path, std::int64_t most_bytes);
  void too_many(std::string_view path, std::int64_t actual, std::int64_t most);
  void duplicate(std::string_view path, const Json& value);
  void not_found(std::string_view path, const Json& value);
  void immutable(std::string_view path, const Json& value) { invalid(path, value, "field is immutable"); }

  // A body in words of its own: "Invalid value: 0x0: must be specified for an update".
  void add_literal(std::string_view reason, std::string_view path, std::string body) {
    add(reason, path, std::move(body));
  }

  void add(const FieldErrors& others) {
    causes_.insert(causes_.end(), others.causes_.begin(), others.causes_.end());
  }

  bool empty() const { return causes_.empty(); }
  std::size_t size() const { return causes_.size(); }
  const std::vector<Cause>& causes() const { return causes_; }

  // GK "name" is invalid: [path: body, ...].
  Error to_error(std::string_view group, std::string_view kind, std::string_view name) const;
  // Ok when there is nothing.
  Status to_status(const Resource& resource, std::string_view name) const;

 private:
  void add(std::string_view reason, std::string_view path, std::string message);

  std::vector<Cause> causes_;
};

// Go's %q.
std::string go_quote(std::string_view text);
// base.name, base[3], base[key].
std::string at_field(std::string_view base, std::string_view name);
std::string at_index(std::string_view base, std::size_t index);
std::string at_key(std::string_view base, std::string_view key);

}  // namespace flotilla::api
