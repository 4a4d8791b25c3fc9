// SPDX-License-Identifier: Apache-2.0
// Which part of a stored object is the predecessor of a part of a new one.
#pragma once

#include <string_view>

#include "core/api/json.hpp"
#include "core/api/schema/schema.hpp"

namespace flotilla::api {

// Of a member; null where there is none.
const Json* old_member(const Json* old, std::string_view key);
// Of a list's element: the one with the same keys in lists of type map; null in all other lists.
const Json* old_element(const Schema& list, const Json* old, const Json& element);
// The keys of a list element: {"name": "a"}.
Json list_identity(const Schema& list, const Json& element);

}  // namespace flotilla::api
