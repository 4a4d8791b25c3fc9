// SPDX-License-Identifier: Apache-2.0
// Member clusters inside the process, for tests and benchmarks with thousands of them. A cluster keeps its
// objects from connection to connection; its settings come from the driver's configuration and from the
// cluster's own.
#include <flotilla/sdk/driver.hpp>

#include "member.hpp"

namespace flotilla::simulated {

namespace {

using sdk::Call;
using sdk::view;

constexpr const char kSchema[] = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "nodes": {"type": "integer", "minimum": 0, "maximum": 10000, "default": 3},
    "node": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "cpu": {"type": "string", "default": "8"},
        "memory": {"type": "string", "default": "32Gi"},
        "pods": {"type": "integer", "minimum": 0, "default": 110}
      }
    },
    "readyDelayMs": {"type": "integer", "minimum": 0, "default": 0},
    "version": {"type": "string", "default": "v1.32.4"},
    "unreachable": {"type": "boolean", "default": false}
  }
})json";

Scope scope_of(const flt_list_request_t& request) {
  Scope scope;
  scope.ns = view(request.ns);
  scope.labels = LabelSelector::parse(view(request.label_selector));
  const std::string_view fields = view(request.field_selector);
  constexpr std::string_view kName = "metadata.name=";
  if (fields.empty()) return scope;
  if (!fields.starts_with(kName) || fields.find(',') != std::string_view::npos) {
    throw sdk::Failure(FLT_INVALID_ARGUMENT, "field label not supported: " + std::string(fields),
                       "BadRequest", 400);
  }
  scope.only_name = fields.substr(kName.size());
  return scope;
}

flt_str_t constant(std::string_view text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}

void fill_resource(const sdk::Arena& arena, const Resource& resource, flt_resource_t& out) {
  static constexpr std::string_view kVerbs[] = {"create", "delete", "deletecollection", "get",
                                                "list",   "patch",  "update",           "watch"};
  static const auto verbs = [] {
    std::array<flt_str_t, std::size(kVerbs)> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = constant(kVerbs[i]);
    return all;
  }();
  out.struct_size = sizeof out;
  out.flags = resource.namespaced ? FLT_RESOURCE_NAMESPACED : 0;
  out.gvr = {arena.copy(resource.group), arena.copy(resource.version), arena.copy(resource.resource)};
  out.kind = arena.copy(resource.kind);
  out.verbs = verbs.data();
  out.n_verbs = verbs.size();
}

class Connection final : public sdk::DriverConnection {
 public:
  explicit Connection(std::shared_ptr<Member> member) : member_(std::move(member)) {}

  void probe(Call& call) override {
    const Settings settings = member_->settings();
    const sdk::Arena arena = call.arena();
    auto& result = arena.make<flt_probe_result_t>();
    result.struct_size = sizeof result;
    result.reachable = result.ready = settings.unreachable ? 0 : 1;
    result.version = arena.copy(settings.version);
    if (settings.unreachable) result.message = arena.copy("told to be unreachable");
    call.succeed(&result);
  }

  void discover(Call& call) override {
    member_->check_reachable();
    const sdk::Arena arena = call.arena();
    const auto built_in = built_in_resources();
    const std::vector<Resource> custom = member_->custom_resources();
    const auto resources = arena.array<flt_resource_t>(built_in.size() + custom.size());
    const auto pointers = arena.array<const flt_resource_t*>(resources.size());
    for (std::size_t i = 0; i < resources.size(); ++i) {
      fill_resource(arena, i < built_in.size() ? built_in[i] : custom[i - built_in.size()], resources[i]);
      pointers[i] = &resources[i];
    }
    auto& result = arena.make<flt_discover_result_t>();
    result.struct_size = sizeof result;
    result.complete = 1;
    result.resources = pointers.data();
    result.n_resources = pointers.size();
    call.succeed(&result);
  }

  void get(const flt_get_request_t& request, Call& call) override {
    member_->check_reachable();
    const StoredPtr object = member_->get(request.gvr, view(request.ns), view(request.name));
    sdk::succeed_with_object(call, object->view());
  }

  void list(const flt_list_request_t& request, Call& call) override {
    member_->check_reachable();
    const Listed listed = member_->list(request.gvr, scope_of(request));
    const sdk::Arena arena = call.arena();
    const auto pointers = arena.array<const flt_object_t*>(listed.objects.size());
    for (std::size_t i = 0; i < pointers.size(); ++i)
      pointers[i] = &sdk::copy_object(arena, listed.objects[i]->view());
    auto& result = arena.make<flt_list_result_t>();
    result.struct_size = sizeof result;
    result.objects = pointers.data();
    result.n_objects = pointers.size();
    result.resource_version = arena.copy(std::to_string(listed.revision));
    call.succeed(&result);
  }

  void apply(const flt_apply_request_t& request, Call& call) override {
    member_->check_reachable();
    const Applied applied = member_->apply(request);
    sdk::succeed_with_object(call, applied.object->view(), applied.outcome);
  }

  void remove(const flt_remove_request_t& request, Call& call) override {
    member_->check_reachable();
    const StoredPtr last = member_->remove(request);
    sdk::succeed_with_object(call, last->view());
  }

  void watch(const flt_list_request_t& request, sdk::EventStream& stream, Call& call) override {
    member_->check_reachable();
    member_->watch(request.gvr, scope_of(request), view(request.resource_version), stream, call);
  }

  // Watches of other connections to this member end too: there is one connection at a time.
  void close() override { member_->end_watches(); }

 private:
  const std::shared_ptr<Member> member_;
};

class Simulated {
 public:
  static constexpr sdk::DriverInfo kInfo = {
      .name = "simulated",
      .summary = "Member clusters inside the process, for tests and benchmarks",
      .caps = FLT_DRIVER_OBJECTS,
      .config_schema = kSchema};

  Simulated(const flt_host_t* host, std::string_view config)
      : host_(host),
        state_(std::make_unique<State>()),
        defaults_(Settings::from(sdk::parse_json(config), {})) {}

  std::shared_ptr<sdk::DriverConnection> connect(const flt_cluster_ref_t& ref) {
    const Settings settings = read_settings(view(ref.settings_json));
    std::lock_guard lock(state_->mutex);
    std::shared_ptr<Member>& member = state_->members[std::string(view(ref.cluster))];
    if (member) {
      if (settings.unreachable) member->end_watches();
      member->configure(settings);
    } else {
      member = std::make_shared<Member>(host_, std::string(view(ref.cluster)), settings);
    }
    return std::make_shared<Connection>(member);
  }

 private:
  struct State {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<Member>> members;
  };

  Settings read_settings(std::string_view text) const {
    if (text.empty()) return defaults_;
    try {
      return Settings::from(sdk::parse_json(text), defaults_);
    } catch (const sdk::Json::exception& fault) {
      throw sdk::Failure(FLT_INVALID_ARGUMENT, std::string("settings of the cluster: ") + fault.what());
    }
  }

  const flt_host_t* host_;
  std::unique_ptr<State> state_;
  Settings defaults_;
};

}  // namespace

}  // namespace flotilla::simulated

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.cluster.simulated",
                                      .version = "0.1.0",
                                      .name = "Simulated member clusters"}),
           &flotilla::sdk::driver_component<flotilla::simulated::Simulated>)
