// SPDX-License-Identifier: Apache-2.0
// One simulated cluster: objects, revisions, watches, and controllers that make workloads ready. It has no
// threads: everything happens inside operations and host timers. Thread: any; one mutex per member.
#pragma once

#include <flotilla/sdk/driver.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "selector.hpp"
#include "workloads.hpp"

namespace flotilla::simulated {

// Immutable: shared by the store, the history and answers.
struct Stored {
  std::string bytes;
  std::string ns, name, uid, resource_version;
  std::int64_t generation = 0;
  Labels labels;

  sdk::ObjectView view() const { return {ns, name, uid, resource_version, generation, bytes}; }
};
using StoredPtr = std::shared_ptr<const Stored>;

struct Applied {
  StoredPtr object;
  int outcome = 0;  // FLT_APPLIED_*
};

struct Listed {
  std::vector<StoredPtr> objects;
  std::uint64_t revision = 0;
};

// What a list or a watch is of.
struct Scope {
  std::string resource;  // "deployments.apps"
  std::string ns;        // empty: all
  LabelSelector labels;
  std::string only_name;  // metadata.name of a field selector
  bool covers(const std::string& of_resource, const Stored& object) const;
};

class Member : public std::enable_shared_from_this<Member> {
 public:
  Member(const flt_host_t* host, std::string name, Settings settings);

  void configure(Settings settings);
  Settings settings() const;
  // Throws UNAVAILABLE while the member is told to be unreachable.
  void check_reachable() const;

  // All throw sdk::Failure with Kubernetes' own messages.
  StoredPtr get(const flt_gvr_t& gvr, std::string_view ns, std::string_view name);
  Listed list(const flt_gvr_t& gvr, Scope scope);
  Applied apply(const flt_apply_request_t& request);
  StoredPtr remove(const flt_remove_request_t& request);
  // Throws Expired when `from` is older than the history.
  class Watch;
  void watch(const flt_gvr_t& gvr, Scope scope, std::string_view from, sdk::EventStream& stream,
             sdk::Call& call);
  void end_watches();

  // The catalogue and what CustomResourceDefinitions add to it.
  std::vector<Resource> custom_resources() const;

 private:
  struct Key {
    std::string resource, ns, name;
    auto operator<=>(const Key&) const = default;
  };
  struct Event {
    std::int32_t type;
    std::uint64_t revision;
    std::string resource;
    StoredPtr object;
  };
  struct Definition {  // texts of a CustomResourceDefinition
    std::string group, version, plural, kind;
    bool namespaced = true, has_status = false;
    Resource resource() const { return {group, version, plural, kind, namespaced, has_status}; }
  };
  struct Pending {
    std::int64_t due_ns;
    Key key;
    StoredPtr object;  // as it was, with what it says
    Json content;
  };

  // All below with the mutex held.
  Resource resource_of(const flt_gvr_t& gvr) const;
  StoredPtr find(const Key& key) const;
  StoredPtr create(const Resource& resource, const Key& key, Json object, bool dry_run);
  Applied replace(const Resource& resource, const Key& key, Json object, const StoredPtr& old, bool dry_run);
  StoredPtr store(const Key& key, Json& object, std::int32_t event_type);
  StoredPtr erase(const Key& key, const StoredPtr& old);
  void erase_namespace(const std::string& ns);
  void record(Event event);
  void schedule(const Resource& resource, const Key& key, const StoredPtr& object, Json content);
  // `content`, if the object is still `known`.
  void set_status(const Resource& resource, const Key& key, const StoredPtr& known, Json content);
  void arm_timer();
  void run_due();
  void define(const Json& definition);
  void undefine(const Json& definition);
  std::vector<StoredPtr> made_up(const std::string& resource) const;
  std::string new_uid();
  std::string now_text() const;

  const flt_host_t* host_;
  const std::string name_;
  mutable std::mutex mutex_;
  Settings settings_;
  std::uint64_t revision_ = 100;
  std::uint64_t uids_ = 0;
  std::map<Key, StoredPtr> objects_;
  std::deque<Event> history_;
  std::uint64_t forgotten_ = 100;  // events up to here are not in the history
  std::vector<std::shared_ptr<Watch>> watches_;
  std::map<std::string, Definition> definitions_;  // by "plural.group"
  std::deque<Pending> pending_;
  bool timer_armed_ = false;
};

}  // namespace flotilla::simulated
