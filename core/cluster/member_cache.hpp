// SPDX-License-Identifier: Apache-2.0
// Objects of one resource on one member, the managed ones (label karmada.io/managed=true) where no other
// selector is given, kept by list and watch.
//
// Unknown is not absent: until the first list is here, and for as long as the member cannot be reached after
// it, get() says Unavailable rather than "not there". Objects are kept encoded, the latest parsed as well.
// Thread: queries from any thread; the watch runs on a strand of its own.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/api/object.hpp"
#include "core/cluster/essence.hpp"
#include "core/cluster/following.hpp"

namespace flotilla::cluster {

struct MemberChange {
  enum class Type : std::uint8_t { Added, Modified, Deleted };
  Type type;
  std::string cluster;
  Gvr resource;
  std::shared_ptr<const Json> object;  // Deleted: its last state
  bool ours = false;                   // what the member answered to a write of ours
  bool drifted = true;  // false: ours, or nothing but its status and bookkeeping differ from what was known
};
using MemberHandler = std::function<void(const MemberChange&)>;

class MemberCache final : public Following {
 public:
  // An empty selector selects the managed objects, "*" all.
  MemberCache(std::string cluster, Gvr resource, std::shared_ptr<ClusterConnection> connection,
              MemberHandler handler, std::string selector = {});

  // Nullopt: the member has no managed object of that key. Errors: Unavailable (not synced).
  Result<std::optional<Json>> get(std::string_view ns, std::string_view name) const;
  // Those of a namespace with this label. Errors: as get().
  Result<std::vector<Json>> list(const std::string& ns, std::string_view label, std::string_view value) const;
  std::size_t size() const;
  // Around a write of ours, so that it is no news when the watch brings it: what comes in between counts as
  // drift only if it is not what the member answered in the end. True: somebody else has changed it since.
  void writing(const api::ObjectKey& key);
  bool written(const Json& answer, const Json& manifest);
  void not_written(const api::ObjectKey& key);
  // Is the object, marks and labels aside, still what the member made of this very manifest when it was
  // written? Then whatever differs is of the member's own making: defaults, say.
  bool is_as_answered(const Json& manifest) const;

 private:
  void replace(std::vector<Json> objects) override;
  void put(Json object) override;
  void forget(Json last) override;
  bool is_known(const MemberHead& head) const override;
  void forget(const api::ObjectKey& key, std::shared_ptr<const Json> last);
  struct Known {
    api::ObjectPtr object;
    std::shared_ptr<const Json> parsed;  // of the latest alone
    Essence essence;
    std::size_t written_body = 0;   // of the manifest that we wrote
    std::size_t answered_body = 0;  // of what the member made of it
  };
  std::optional<MemberChange> take(std::shared_ptr<const Json> content, const Essence& essence, bool ours);
  // Under the mutex: it stays parsed until as many others have been looked at.
  void keep_parsed(const api::ObjectKey& key, Known& known, std::shared_ptr<const Json> parsed) const;

  MemberHandler handler_;
  mutable std::mutex mutex_;
  mutable std::map<api::ObjectKey, Known> objects_;
  Revision newest_;                   // of all that the watch brought
  std::set<api::ObjectKey> writing_;  // by us, now
  mutable std::array<api::ObjectKey, 64> parsed_;
  mutable std::size_t next_parsed_ = 0;
};

}  // namespace flotilla::cluster
