// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. Access to the wrong side is our bug and aborts.
//
//   Result<int> parse(std::string_view text);
//   auto r = parse(text);
//   if (!r) return std::move(r).context("read replicas");
//   use(*r);
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/base/assert.hpp"
#include "core/base/error.hpp"

namespace flotilla {

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  template <typename U = T>
    requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error>)
  Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return ASSERT(ok()), std::get<0>(state_); }
  const T& value() const& { return ASSERT(ok()), std::get<0>(state_); }
  T&& value() && { return ASSERT(ok()), std::move(std::get<0>(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return ASSERT(!ok()), std::get<1>(state_); }
  Error&& error() && { return ASSERT(!ok()), std::move(std::get<1>(state_)); }
  // The error with what was being done in front; only for results that failed.
  Error context(std::string_view doing) && { return std::move(*this).error().context(doing); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return ASSERT(!ok()), *error_; }
  Error&& error() && { return ASSERT(!ok()), std::move(*error_); }
  Error context(std::string_view doing) && { return std::move(*this).error().context(doing); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace flotilla
