// SPDX-License-Identifier: Apache-2.0
// The webhooks that are configured right now, in the order in which they are called. Read again only after a
// configuration changed; where there is none, asking costs two loads. Thread: everything from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "core/apiserver/admission/webhook.hpp"

namespace flotilla::apiserver {

struct Webhooks {
  std::vector<WebhookPtr> mutating, validating;
};

class WebhookRegistry {
 public:
  explicit WebhookRegistry(const store::Store& store) : store_(store) {}

  // After a write of a configuration.
  void touch() { wanted_.fetch_add(1, std::memory_order_acq_rel); }
  // Null: there are none.
  std::shared_ptr<const Webhooks> webhooks() const;

 private:
  struct Built {
    std::uint64_t generation = 0;
    Webhooks webhooks;
  };
  // `before`: those of the last time, whose counts go on.
  void read(std::string_view resource, bool mutating, const std::vector<WebhookPtr>* before,
            std::vector<WebhookPtr>& into) const;

  const store::Store& store_;
  std::atomic<std::uint64_t> wanted_{1};
  mutable std::atomic<std::uint64_t> empty_at_{0};  // the generation that was found empty
  mutable std::atomic<std::shared_ptr<const Built>> built_;
};

}  // namespace flotilla::apiserver
