// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/override_adapter.hpp"

#include <flotilla/abi/override.h>

#include <string>

#include "core/plugin/arena.hpp"

namespace flotilla::plugin {
namespace {

using api::Json;
using overrides::PatchGroup;
using overrides::Target;

flt_str_t str(std::string_view text) {
  return {text.data(), text.size()};
}

// Which of the rows a group means; a null bitset means all.
std::vector<std::uint32_t> rows_of(const std::uint64_t* bits, std::size_t rows) {
  std::vector<std::uint32_t> list;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (bits == nullptr || (bits[row / 64] >> (row % 64) & 1) != 0) list.push_back(row);
  }
  return list;
}

class AdaptedRule final : public overrides::Rule {
 public:
  AdaptedRule(std::shared_ptr<Instance> instance, void* rule) : instance_(std::move(instance)), rule_(rule) {}
  ~AdaptedRule() override { ops().release_rule(instance_->self(), rule_); }
  AdaptedRule(const AdaptedRule&) = delete;
  AdaptedRule& operator=(const AdaptedRule&) = delete;

  Result<std::vector<PatchGroup>> apply(const Json& manifest,
                                        std::span<const Target> targets) const override {
    const std::string text = manifest.dump();
    std::vector<std::uint64_t> wanted((targets.size() + 63) / 64);
    std::vector<std::int64_t> replicas;
    for (std::size_t row = 0; row < targets.size(); ++row) {
      wanted[row / 64] |= std::uint64_t{1} << (row % 64);
      if (targets[row].replicas) replicas.push_back(*targets[row].replicas);
    }
    flt_override_request_t request{};
    request.struct_size = sizeof request;
    request.media_type = str("application/json");
    request.manifest = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    request.clusters = wanted.data();
    request.n_rows = targets.size();
    request.replicas = replicas.size() == targets.size() ? replicas.data() : nullptr;

    const ArenaRef arena = make_arena();
    flt_override_result_t result{};
    result.struct_size = sizeof result;
    result.arena = arena.get();
    ErrorSlot error;
    const flt_status_t status = ops().apply(instance_->self(), rule_, &request, &result, error.get());
    if (status != FLT_OK) return error.take(status);
    return read(result, targets.size());
  }

 private:
  const flt_override_ops_t& ops() const { return *instance_->ops<flt_override_ops_t>(); }

  Result<std::vector<PatchGroup>> read(const flt_override_result_t& result, std::size_t rows) const {
    std::vector<PatchGroup> groups;
    for (std::uint64_t i = 0; i < result.n_groups; ++i) {
      const flt_override_group_t& from = *result.groups[i];
      auto patch = Json::parse({reinterpret_cast<const char*>(from.patch.p), from.patch.n},
                               {.max_bytes = kDefaultArenaLimit});
      if (!patch) return broken("a patch that is no JSON: " + patch.error().message());
      PatchGroup group{PatchGroup::Kind::JsonPatch, std::move(*patch), rows_of(from.clusters, rows)};
      if (from.patch_kind == FLT_PATCH_MERGE) {
        group.kind = PatchGroup::Kind::MergePatch;
      } else if (from.patch_kind == FLT_PATCH_FULL) {
        group.kind = PatchGroup::Kind::Full;
      } else if (from.patch_kind != FLT_PATCH_JSON) {
        return broken("a patch of unknown kind " + std::to_string(from.patch_kind));
      }
      groups.push_back(std::move(group));
    }
    return groups;
  }

  Error broken(std::string_view what) const {
    return internal("override plugin " + instance_->name() + " answered with " + std::string(what));
  }

  std::shared_ptr<Instance> instance_;
  void* rule_;
};

class AdaptedKind final : public overrides::RuleKind {
 public:
  explicit AdaptedKind(std::shared_ptr<Instance> instance) : instance_(std::move(instance)) {}

  std::string_view name() const override { return instance_->component().name; }
  std::string_view field() const override { return ops().field; }
  int order() const override { return ops().order; }

  Result<std::shared_ptr<const overrides::Rule>> compile(const Json& params) const override {
    const std::string text = params.dump();
    const ArenaRef arena = make_arena();
    flt_override_compiled_t compiled{};
    compiled.struct_size = sizeof compiled;
    compiled.arena = arena.get();
    ErrorSlot error;
    const flt_status_t status = ops().compile(instance_->self(), str(text), &compiled, error.get());
    if (status != FLT_OK) return error.take(status);
    auto rule = std::make_shared<AdaptedRule>(instance_, compiled.rule);
    if (compiled.n_columns != 0) {
      return Error(Code::Unsupported, "override plugin " + instance_->name() +
                                          " needs columns of the cluster table, which rules do not get yet");
    }
    return std::shared_ptr<const overrides::Rule>(std::move(rule));
  }

 private:
  const flt_override_ops_t& ops() const { return *instance_->ops<flt_override_ops_t>(); }

  std::shared_ptr<Instance> instance_;
};

}  // namespace

Result<std::shared_ptr<const overrides::RuleKind>> adapt_override(std::shared_ptr<Instance> instance) {
  const flt_component_t& component = instance->component();
  if (std::string_view(component.kind) != FLT_KIND_OVERRIDE) {
    return invalid(instance->name() + " is a component of kind " + component.kind + ", not " +
                   FLT_KIND_OVERRIDE);
  }
  const auto* ops = instance->ops<flt_override_ops_t>();
  const bool complete = ops != nullptr && FLT_HAS(ops, field) && FLT_HAS(ops, compile) &&
                        FLT_HAS(ops, apply) && FLT_HAS(ops, release_rule);
  if (!complete) {
    return invalid("override plugin " + instance->name() +
                   " lacks one of field, compile, apply and release_rule in its table");
  }
  return std::shared_ptr<const overrides::RuleKind>(std::make_shared<AdaptedKind>(std::move(instance)));
}

}  // namespace flotilla::plugin
