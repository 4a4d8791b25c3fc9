// SPDX-License-Identifier: Apache-2.0
// Sainte-Laguë / Webster apportionment: seats go one by one to the party with the most votes per odd number.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace flotilla::scheduler {

struct Party {
  std::int64_t votes = 0;
  std::int32_t seats = 0;  // at the start, and in the end
};

// Ties of equal votes and seats go to the lowest or to the highest position. Which one is drawn from the uid
// of the template, so that many small templates do not all land on the same cluster.
bool prefers_last(std::string_view uid);

// Gives `seats` more seats to the parties, which are in ascending order of name. Parties without votes get
// none; if no party has votes, nothing is given. O(parties + min(seats, parties) * log(parties)).
void apportion(std::span<Party> parties, std::int64_t seats, bool prefer_last);

}  // namespace flotilla::scheduler
