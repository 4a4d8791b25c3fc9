// SPDX-License-Identifier: Apache-2.0
// A damaged database whose live data can still be read as a whole is built anew from it. Whether it is the
// whole is known from the count and the sum of fingerprints in `meta`.
#pragma once

#include <sqlite3.h>

#include <string>

namespace flotilla::plugins::storage {

// Writes PATH.rebuilt and empties the log of `db`. Empty: done; else why it cannot be.
std::string rebuild_from_live(sqlite3* db, const std::string& path);
// After `db` was closed: the damaged file stays as PATH.damaged. Throws Failure.
void put_rebuilt_in_place(const std::string& path);

}  // namespace flotilla::plugins::storage
