// SPDX-License-Identifier: Apache-2.0
// Sainte-Laguë / Webster apportionment: seats go one by one to the party with the most votes per odd number.
// For policies that divide replicas; the host and its own policies use the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct Party {
  std::int64_t votes = 0;
  std::int32_t seats = 0;  // at the start, and in the end
};

inline double votes_per_seat(const Party& party, std::int32_t seats) {
  return static_cast<double>(party.votes) / static_cast<double>(2 * std::int64_t{seats} + 1);
}

// How many seats the party gets for quotients strictly above the threshold: they all come before any other.
inline std::int32_t seats_above(const Party& party, double threshold) {
  double odd = static_cast<double>(party.votes) / threshold;
  auto last = static_cast<std::int64_t>((odd - 1) / 2);
  // The estimate is off by one or two at most.
  auto seats = static_cast<std::int32_t>(std::clamp<std::int64_t>(last, party.seats, INT32_MAX));
  while (seats < INT32_MAX && votes_per_seat(party, seats) > threshold) ++seats;
  while (seats > party.seats && votes_per_seat(party, seats - 1) <= threshold) --seats;
  return seats;
}

// Hands out at once all seats that are certain, and returns how many are left (about one per party).
inline std::int64_t give_certain_seats(std::span<Party> parties, std::int64_t seats) {
  double votes = 0;
  double voters = 0;
  for (const Party& party : parties) {
    votes += static_cast<double>(party.votes);
    voters += party.votes > 0 ? 1 : 0;
  }
  if (static_cast<double>(seats) <= voters) return seats;
  double threshold = votes / (2 * (static_cast<double>(seats) - voters / 2));
  std::int64_t certain = 0;
  std::vector<std::int32_t> given;
  given.reserve(parties.size());
  for (const Party& party : parties) {
    given.push_back(party.votes > 0 ? seats_above(party, threshold) : party.seats);
    certain += given.back() - party.seats;
  }
  if (certain > seats) return seats;
  for (std::size_t i = 0; i < parties.size(); ++i) parties[i].seats = given[i];
  return seats - certain;
}

struct Claim {
  double quotient;
  std::int32_t seats;
  std::uint32_t position;
};

// Ties of equal votes and seats go to the lowest or to the highest position. Which one is drawn from the uid
// of the template, so that many small templates do not all land on the same cluster.
inline bool prefers_last(std::string_view uid) {
  if (uid.empty()) return false;
  std::uint32_t hash = 2166136261u;
  for (char c : uid) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash % 2 == 1;
}

// Gives `seats` more seats to the parties, which are in ascending order of name. Parties without votes get
// none; if no party has votes, nothing is given. O(parties + min(seats, parties) * log(parties)).
inline void apportion(std::span<Party> parties, std::int64_t seats, bool prefer_last) {
  seats = give_certain_seats(parties, seats);
  if (seats <= 0) return;
  auto weaker = [prefer_last](const Claim& a, const Claim& b) {
    if (a.quotient != b.quotient) return a.quotient < b.quotient;
    if (a.seats != b.seats) return a.seats > b.seats;
    return prefer_last ? a.position < b.position : a.position > b.position;
  };
  std::vector<Claim> claims;
  claims.reserve(parties.size());
  for (std::uint32_t i = 0; i < parties.size(); ++i) {
    if (parties[i].votes > 0)
      claims.push_back({votes_per_seat(parties[i], parties[i].seats), parties[i].seats, i});
  }
  if (claims.empty()) return;
  // With fewer seats than claims, only the strongest `seats` first claims can win anything.
  if (static_cast<std::size_t>(seats) < claims.size()) {
    auto end = claims.begin() + static_cast<std::ptrdiff_t>(seats);
    std::nth_element(claims.begin(), end, claims.end(),
                     [&](const Claim& a, const Claim& b) { return weaker(b, a); });
    claims.erase(end, claims.end());
  }
  std::make_heap(claims.begin(), claims.end(), weaker);
  for (; seats > 0; --seats) {
    Claim claim = claims.front();
    Party& party = parties[claim.position];
    claim.seats = ++party.seats;
    claim.quotient = votes_per_seat(party, party.seats);
    // The winner sinks to where its next claim belongs.
    std::size_t hole = 0;
    for (std::size_t child = 1; child < claims.size(); child = 2 * hole + 1) {
      if (child + 1 < claims.size() && weaker(claims[child], claims[child + 1])) ++child;
      if (!weaker(claim, claims[child])) break;
      claims[hole] = claims[child];
      hole = child;
    }
    claims[hole] = claim;
  }
}

}  // namespace sdk_1
}  // namespace flotilla::sdk
