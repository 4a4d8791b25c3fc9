// SPDX-License-Identifier: Apache-2.0
// Strong ids and quantities: two of different tag never mix, at no cost.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <utility>

namespace flotilla {

template <typename T, typename Tag>
class NamedType {
 public:
  constexpr NamedType() = default;
  constexpr explicit NamedType(T value) : value_(std::move(value)) {}
  constexpr const T& get() const { return value_; }
  constexpr auto operator<=>(const NamedType&) const = default;
  constexpr bool operator==(const NamedType&) const = default;

 private:
  T value_{};
};

// One per commit of the store, ascending; 0 is "none". resourceVersion in the API is its decimal text.
using Revision = NamedType<std::int64_t, struct RevisionTag>;

}  // namespace flotilla

template <typename T, typename Tag>
struct std::hash<flotilla::NamedType<T, Tag>> {
  std::size_t operator()(const flotilla::NamedType<T, Tag>& id) const { return std::hash<T>()(id.get()); }
};
