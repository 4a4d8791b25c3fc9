// SPDX-License-Identifier: Apache-2.0
// What several controllers look up: Works by binding, override policies made ready.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "core/controllers/kinds.hpp"
#include "core/informer/label_index.hpp"
#include "core/overrides/apply.hpp"

namespace flotilla::controllers {

class WorkIndex {
 public:
  explicit WorkIndex(informer::Informers& informers);
  // Keys of Works that carry the permanent id of this binding.
  std::vector<ObjectKey> of(const BindingScope& scope, std::string_view binding_id) const;
  void note(const api::Object& work);

 private:
  informer::LabelIndex namespaced_;
  informer::LabelIndex cluster_;
};

// Override policies, compiled once per revision. A reader gets an immutable set. Thread: any.
class OverrideIndex {
 public:
  using Policies = std::vector<std::shared_ptr<const overrides::CompiledPolicy>>;

  OverrideIndex(informer::Informers& informers, const overrides::RuleRegistry& rules);
  std::shared_ptr<const Policies> cluster_policies() const { return cluster_policies_.load(); }
  // Those of all namespaces; apply_overrides passes over the others.
  std::shared_ptr<const Policies> policies(std::string_view ns) const;

 private:
  using ByNamespace = std::map<std::string, std::shared_ptr<const Policies>, std::less<>>;
  using Named = std::map<ObjectKey, std::shared_ptr<const overrides::CompiledPolicy>>;
  void follow(const Event& event);
  static std::shared_ptr<const Policies> collect(const Named& named, std::string_view ns);

  const overrides::RuleRegistry& rules_;
  Named named_;          // on the informers' strand
  Named cluster_named_;  // on the informers' strand
  std::atomic<std::shared_ptr<const Policies>> cluster_policies_;
  std::atomic<std::shared_ptr<const ByNamespace>> policies_;
};

}  // namespace flotilla::controllers
