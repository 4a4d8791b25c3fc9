// SPDX-License-Identifier: Apache-2.0
// Objects mean something else as soon as a ResourceInterpreterCustomization or an interpreter webhook is
// made, changed or deleted: who asks interpreters looks at them again, in the background and in turns.
//
//   reinterpretation_(context, loop_, {Operation::InterpretHealth})   // wakes the loop with keys of its own
//   ...
//   if (Reinterpretation::is_key(key)) {
//     auto spreading = reinterpretation_.spread(key, collection, wake);   // in reconcile()
//     co_await std::move(spreading);
//   }
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

class Reinterpretation {
 public:
  // Bindings (of them the template counts) or Works (of them the manifests).
  using Wake = std::function<void(const Json& object, Key key)>;

  // What concerns none of `operations` is passed over. `loop` outlives it.
  Reinterpretation(Context& context, Loop& loop, std::vector<interpreter::Operation> operations);

  // Of a customization or a webhook configuration.
  static bool is_key(const Key& key);
  // For those that are due under their own key.
  Wake its_own() const;
  // Every binding or Work of the collections whose kind means something else since the change.
  Task<void> spread(Key change, std::vector<Collection> where, Wake wake);

 private:
  // What changed; may hold what the change was from and what it led to.
  using Means = std::function<bool(std::string_view api_version, std::string_view kind)>;

  void on_customization(const Event& event);
  void on_webhooks(const Event& event);
  void note(const Event& event, Means means);
  bool is_concerned(const Json& object, const std::vector<Means>& changes) const;

  Context& context_;
  Loop& loop_;
  const std::vector<interpreter::Operation> operations_;
  std::mutex mutex_;
  std::map<Key, std::vector<Means>> changes_;  // not yet spread
};

}  // namespace flotilla::controllers
