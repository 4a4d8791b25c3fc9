// SPDX-License-Identifier: Apache-2.0
// A cluster driver: a "member" that is one ConfigMap for reading. What it cannot do it says, and the host
// passes it on.
#include <flotilla/sdk/driver.hpp>

namespace {

namespace sdk = flotilla::sdk;

constexpr sdk::ObjectView kHello{
    .ns = "default",
    .name = "hello",
    .uid = "1",
    .resource_version = "1",
    .bytes =
        R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"hello","namespace":"default","uid":"1",)"
        R"("resourceVersion":"1"},"data":{"hello":"world"}})"};

class HelloConnection final : public sdk::DriverConnection {
 public:
  void probe(sdk::Call& call) override {
    const sdk::Arena arena = call.arena();
    auto& result = arena.make<flt_probe_result_t>();
    result = {sizeof result, 1, 1, 0, arena.copy("v0.0.1"), {}, 0};
    call.succeed(&result);
  }
  void discover(sdk::Call& call) override {
    const sdk::Arena arena = call.arena();
    const auto verbs = arena.array<flt_str_t>(1);
    verbs[0] = arena.copy("get");
    auto& resource = arena.make<flt_resource_t>();
    resource = {sizeof resource,
                FLT_RESOURCE_NAMESPACED,
                {{}, arena.copy("v1"), arena.copy("configmaps")},
                arena.copy("ConfigMap"),
                verbs.data(),
                verbs.size()};
    auto& result = arena.make<flt_discover_result_t>();
    result.struct_size = sizeof result;
    result.complete = 1;
    const auto resources = arena.array<const flt_resource_t*>(1);
    resources[0] = &resource;
    result.resources = resources.data();
    result.n_resources = 1;
    call.succeed(&result);
  }
  void get(const flt_get_request_t& request, sdk::Call& call) override {
    if (sdk::view(request.name) != kHello.name)
      throw sdk::Failure(FLT_NOT_FOUND, "only hello is here", "NotFound", 404);
    sdk::succeed_with_object(call, kHello);
  }
  void list(const flt_list_request_t&, sdk::Call& call) override { refuse(call); }
  void apply(const flt_apply_request_t&, sdk::Call& call) override { refuse(call); }
  void remove(const flt_remove_request_t&, sdk::Call& call) override { refuse(call); }
  void watch(const flt_list_request_t&, sdk::EventStream& stream, sdk::Call& call) override {
    stream.forget();
    refuse(call);
  }
  void close() override {}

 private:
  static void refuse(sdk::Call& call) {
    call.fail(FLT_UNIMPLEMENTED, "hello_driver only reads one object", {}, 405);
  }
};

class HelloDriver {
 public:
  static constexpr sdk::DriverInfo kInfo = {.name = "hello_driver", .summary = "One ConfigMap for reading"};
  HelloDriver(const flt_host_t*, std::string_view) {}
  std::shared_ptr<sdk::DriverConnection> connect(const flt_cluster_ref_t&) {
    return std::make_shared<HelloConnection>();
  }
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "org.example.hello_driver", .version = "1.0.0", .name = "Hello driver"}),
           &flotilla::sdk::driver_component<HelloDriver>)
