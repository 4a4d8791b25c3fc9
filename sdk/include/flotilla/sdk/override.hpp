// SPDX-License-Identifier: Apache-2.0
// Override rules in C++. A rule is a class:
//
//   class Registry {
//    public:
//     static constexpr flotilla::sdk::OverrideInfo kInfo = {
//         .name = "registry", .summary = "Sets the image registry", .field = "registryOverrider", .order =
//         150};
//     explicit Registry(std::string_view params_json);                   // throws
//     Failure(FLT_INVALID_ARGUMENT, …) std::string patch(std::string_view manifest_json) const;           //
//     RFC 6902, "" or "[]": unchanged
//   };
//   FLT_PLUGIN((flotilla::sdk::PluginInfo{…}), &flotilla::sdk::override_component<Registry>)
//
// A rule whose outcome differs from cluster to cluster has, in place of patch():
//     void apply(const OverrideRequest& request, OverridePatches& out) const;
// and, to look at columns of the cluster table:
//     std::vector<std::string> columns() const;
#pragma once

#include <flotilla/abi/override.h>
#include <flotilla/sdk/plugin.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct OverrideInfo {
  const char* name;
  const char* summary;
  const char* field;
  std::int32_t order;
  const char* params_schema = nullptr;
};

// One manifest and the clusters it goes to.
class OverrideRequest {
 public:
  explicit OverrideRequest(const flt_override_request_t& request) : request_(request) {}

  std::string_view manifest() const { return view(request_.manifest); }
  std::uint64_t rows() const { return request_.n_rows; }
  bool wanted(std::uint64_t row) const { return (request_.clusters[row / 64] >> (row % 64) & 1) != 0; }
  // Nothing where the manifest is no workload.
  std::optional<std::int64_t> replicas(std::uint64_t row) const {
    if (request_.replicas == nullptr) return std::nullopt;
    return request_.replicas[row];
  }
  const flt_override_request_t& raw() const { return request_; }

 private:
  const flt_override_request_t& request_;
};

// Collects patches into the arena of the answer.
class OverridePatches {
 public:
  OverridePatches(Arena arena, std::uint64_t rows) : arena_(arena), rows_(rows) {}

  // For all clusters of the request.
  void add(std::uint32_t kind, std::string_view patch) { add_group(kind, patch, nullptr); }
  // For some of them.
  void add(std::uint32_t kind, std::string_view patch, std::span<const std::uint64_t> for_rows) {
    const auto bits = arena_.array<std::uint64_t>((rows_ + 63) / 64);
    for (const std::uint64_t row : for_rows) bits[row / 64] |= std::uint64_t{1} << (row % 64);
    add_group(kind, patch, bits.data());
  }
  void hand_over(flt_override_result_t& out) const {
    const auto groups = arena_.array<const flt_override_group_t*>(groups_.size());
    for (std::size_t i = 0; i < groups_.size(); ++i) groups[i] = groups_[i];
    out.groups = groups.data();
    out.n_groups = groups.size();
  }

 private:
  void add_group(std::uint32_t kind, std::string_view patch, const std::uint64_t* clusters) {
    auto& group = arena_.make<flt_override_group_t>();
    group = {sizeof(flt_override_group_t), kind, arena_.copy_bytes(patch), clusters};
    groups_.push_back(&group);
  }

  Arena arena_;
  std::uint64_t rows_;
  std::vector<const flt_override_group_t*> groups_;
};

template <typename Rule>
struct OverrideTrampolines {
  struct Instance {
    const flt_host_t* host;
  };

  static flt_status_t create(const flt_host_t* host, const flt_create_args_t*, void** self,
                             flt_error_t* err) noexcept {
    return guarded(host, err, [&] { *self = new Instance{host}; });
  }
  static void destroy(void* self) noexcept { delete static_cast<Instance*>(self); }

  static flt_status_t compile(void* self, flt_str_t params, flt_override_compiled_t* out,
                              flt_error_t* err) noexcept {
    const flt_host_t* host = static_cast<Instance*>(self)->host;
    return guarded(host, err, [&] {
      auto rule = std::make_unique<const Rule>(view(params));
      if constexpr (requires { rule->columns(); }) {
        const Arena arena(host, out->arena);
        const std::vector<std::string> names = rule->columns();
        const auto columns = arena.array<flt_str_t>(names.size());
        for (std::size_t i = 0; i < names.size(); ++i) columns[i] = arena.copy(names[i]);
        out->columns = columns.data();
        out->n_columns = columns.size();
      }
      out->rule = const_cast<Rule*>(rule.release());
    });
  }

  static flt_status_t apply(void* self, const void* rule, const flt_override_request_t* request,
                            flt_override_result_t* out, flt_error_t* err) noexcept {
    const flt_host_t* host = static_cast<Instance*>(self)->host;
    return guarded(host, err, [&] {
      const Rule& typed = *static_cast<const Rule*>(rule);
      OverridePatches patches(Arena(host, out->arena), request->n_rows);
      if constexpr (requires { typed.apply(OverrideRequest(*request), patches); }) {
        typed.apply(OverrideRequest(*request), patches);
      } else {
        const std::string patch = typed.patch(view(request->manifest));
        if (!patch.empty() && patch != "[]") patches.add(FLT_PATCH_JSON, patch);
      }
      patches.hand_over(*out);
    });
  }

  static void release_rule(void*, void* rule) noexcept { delete static_cast<Rule*>(rule); }
};

template <typename Rule>
inline constexpr flt_override_ops_t override_ops = {sizeof(flt_override_ops_t),
                                                    Rule::kInfo.order,
                                                    Rule::kInfo.field,
                                                    Rule::kInfo.params_schema,
                                                    OverrideTrampolines<Rule>::compile,
                                                    OverrideTrampolines<Rule>::apply,
                                                    OverrideTrampolines<Rule>::release_rule};

template <typename Rule>
inline constexpr flt_component_t override_component = {sizeof(flt_component_t),
                                                       FLT_EXEC_COMPUTE,
                                                       0,
                                                       FLT_KIND_OVERRIDE,
                                                       Rule::kInfo.name,
                                                       Rule::kInfo.summary,
                                                       nullptr,
                                                       &override_ops<Rule>,
                                                       OverrideTrampolines<Rule>::create,
                                                       OverrideTrampolines<Rule>::destroy,
                                                       nullptr,
                                                       nullptr,
                                                       nullptr,
                                                       nullptr,
                                                       nullptr};

}  // namespace sdk_1
}  // namespace flotilla::sdk
