// SPDX-License-Identifier: Apache-2.0
// The resource versions and continue tokens of lists that span clusters, as karmada-search hands them out:
// base64url without padding of JSON. What cannot be read means nothing was asked for.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace flotilla::api {

class MultiClusterVersion {
 public:
  using Versions = std::map<std::string, std::string, std::less<>>;

  MultiClusterVersion() = default;
  explicit MultiClusterVersion(Versions versions) : versions_(std::move(versions)) {}
  static MultiClusterVersion decode(std::string_view text);

  // Empty where no cluster has a version.
  std::string encode() const;
  // "0": any version will do, from a cache.
  bool is_zero() const { return zero_; }
  // The version to ask a cluster for: its own, "0" for all where the whole is zero, empty where it has none.
  std::string_view of(std::string_view cluster) const;
  void set(std::string_view cluster, std::string_view version);
  const Versions& versions() const { return versions_; }

 private:
  Versions versions_;
  bool zero_ = false;
};

// Where a list that was cut goes on.
struct MultiClusterContinue {
  std::string resource_version;  // of the whole list, encoded
  std::string cluster;           // the next to ask; empty: the list is at its end
  std::string token;             // that cluster's own continue token

  static MultiClusterContinue decode(std::string_view text);
  std::string encode() const;
};

}  // namespace flotilla::api
