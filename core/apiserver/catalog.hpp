// SPDX-License-Identifier: Apache-2.0
// Which resources are served right now: the built-in registry plus what CustomResourceDefinitions added.
// A reader takes the registry once per request and keeps it to the end. Thread: everything from any thread,
// replace_custom() one at a time.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/api/schema/registry.hpp"

namespace flotilla::apiserver {

struct ConversionWebhook;  // core/apiserver/custom/conversion_webhook.hpp

// What came of one CustomResourceDefinition.
struct Definition {
  // Of the stored object; 0 while it is not stored yet. The same revision is not read again.
  std::int64_t revision = 0;
  std::string fingerprint;  // of what resources are made of
  std::string group, group_resource;
  api::Json accepted_names;
  bool established = false;
  bool reshaped = false;     // changed after it was made
  bool terminating = false;  // being deleted
  std::vector<api::ResourcePtr> resources;
  std::shared_ptr<const ConversionWebhook> conversion;  // null: only apiVersion differs between versions
};

struct Served {
  api::Registry registry;
  std::map<std::string, Definition> definitions;
  // group/resource of custom resources whose definition changed after creation: what is stored may have
  // another shape than the schema says, so it is decoded again when read.
  std::set<std::string> reshaped;
  // Terminating definitions: no more creates.
  std::set<std::string> terminating;
};

class Catalog {
 public:
  explicit Catalog(const api::Registry& builtin) : builtin_(builtin) {
    auto first = std::make_shared<Served>();
    first->registry = builtin;
    served_.store(std::move(first));
  }

  std::shared_ptr<const Served> served() const { return served_.load(std::memory_order_acquire); }
  const api::Registry& builtin() const { return builtin_; }
  void publish(std::shared_ptr<const Served> served) {
    served_.store(std::move(served), std::memory_order_release);
    version_.fetch_add(1);
  }
  std::uint64_t version() const { return version_.load(); }

 private:
  const api::Registry& builtin_;
  std::atomic<std::shared_ptr<const Served>> served_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace flotilla::apiserver
