// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/reinterpretation.hpp"

#include <algorithm>

#include "core/controllers/give_way.hpp"
#include "core/interpreter/customization.hpp"
#include "core/interpreter/webhook.hpp"

namespace flotilla::controllers {
namespace {

using interpreter::Customization;
using interpreter::InterpreterWebhook;
using interpreter::Operation;

Collection configuration(std::string_view resource) {
  return store::collection_of("config.karmada.io", resource);
}

const Collection& customizations() {
  static const Collection collection = configuration("resourceinterpretercustomizations");
  return collection;
}

const Collection& webhook_configurations() {
  static const Collection collection = configuration("resourceinterpreterwebhookconfigurations");
  return collection;
}

bool says_the_same(const Customization& a, const Customization& b, Operation operation) {
  const auto &one = a.script(operation), &other = b.script(operation);
  if (!one || !other) return !one && !other;
  return one->text == other->text;
}

// Before and after, of which one may be missing.
std::vector<Json> versions_of(const Event& event) {
  std::vector<Json> versions;
  if (event.previous && event.type == Event::Type::Modified) versions.push_back(*event.previous->content());
  versions.push_back(*event.object->content());
  return versions;
}

}  // namespace

Reinterpretation::Reinterpretation(Context& context, Loop& loop, std::vector<Operation> operations)
    : context_(context), loop_(loop), operations_(std::move(operations)) {
  context.informers.on(customizations(), [this](const Event& event) { on_customization(event); });
  context.informers.on(webhook_configurations(), [this](const Event& event) { on_webhooks(event); });
}

bool Reinterpretation::is_key(const Key& key) {
  return key.collection == customizations() || key.collection == webhook_configurations();
}

void Reinterpretation::on_customization(const Event& event) {
  std::vector<Customization> versions;
  for (const Json& version : versions_of(event)) versions.push_back(interpreter::read_customization(version));
  const Customization &before = versions.front(), &after = versions.back();
  const bool moved = before.api_version != after.api_version || before.kind != after.kind;
  const Customization nothing;
  const bool concerns = std::ranges::any_of(operations_, [&](Operation operation) {
    if (versions.size() == 1) return !says_the_same(after, nothing, operation);
    return moved ? before.script(operation) || after.script(operation)
                 : !says_the_same(before, after, operation);
  });
  if (!concerns) return;
  for (const Customization& one : versions) {
    note(event, [api_version = one.api_version, its_kind = one.kind](std::string_view version,
                                                                     std::string_view kind) {
      return version == api_version && kind == its_kind;
    });
  }
}

void Reinterpretation::on_webhooks(const Event& event) {
  const std::vector<Json> versions = versions_of(event);
  if (versions.size() == 2 && versions[0]["webhooks"] == versions[1]["webhooks"]) return;
  for (const Json& version : versions) {
    note(event, [webhooks = interpreter::read_webhooks(version), operations = operations_](
                    std::string_view api_version, std::string_view kind) {
      return std::ranges::any_of(webhooks, [&](const InterpreterWebhook& webhook) {
        return std::ranges::any_of(
            operations, [&](Operation operation) { return webhook.matches(api_version, kind, operation); });
      });
    });
  }
}

void Reinterpretation::note(const Event& event, Means means) {
  // At the start everything is due anyway.
  if (!context_.informers.synced() && event.type == Event::Type::Added) return;
  const Key key{event.collection, event.object->key()};
  {
    std::lock_guard lock(mutex_);
    changes_[key].push_back(std::move(means));
  }
  loop_.enqueue(key, reconcile::kBackground);
}

bool Reinterpretation::is_concerned(const Json& object, const std::vector<Means>& changes) const {
  const auto means = [&](const Json& one) {
    return std::ranges::any_of(changes, [&](const Means& change) {
      return change(one["apiVersion"].as_string(), one["kind"].as_string());
    });
  };
  const Json& spec = object["spec"];
  return means(spec["resource"]) || std::ranges::any_of(spec["workload"]["manifests"].elements(), means);
}

Reinterpretation::Wake Reinterpretation::its_own() const {
  return [loop = &loop_](const Json&, const Key& key) { loop->enqueue(key, reconcile::kBackground); };
}

Task<void> Reinterpretation::spread(Key change, std::vector<Collection> where, Wake wake) {
  std::vector<Means> changes;
  {
    std::lock_guard lock(mutex_);
    const auto found = changes_.find(change);
    if (found != changes_.end()) changes = std::move(found->second);
    if (found != changes_.end()) changes_.erase(found);
  }
  if (changes.empty()) co_return;
  Turns turns;
  for (const Collection& collection : where) {
    const auto all = context_.store.list(collection, "").objects;
    for (const ObjectPtr& object : all) {
      auto waiting = turns.give_way();
      co_await std::move(waiting);
      const auto content = object->content();
      if (is_concerned(*content, changes)) wake(*content, {collection, object->key()});
    }
  }
}

}  // namespace flotilla::controllers
