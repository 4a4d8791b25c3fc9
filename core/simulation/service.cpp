// SPDX-License-Identifier: Apache-2.0
#include "core/api/names.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {
namespace {

struct Backends {
  Json ready = Json::array();  // Endpoints addresses
  Json not_ready = Json::array();
  Json slice = Json::array();    // EndpointSlice endpoints
  const Json* sample = nullptr;  // a pod, to look up named ports
  std::shared_ptr<const Json> keep;
};

Backends find_backends(const World& world, const Json& service) {
  Backends backends;
  const Json& selector = service["spec"]["selector"];
  const bool publish = service["spec"]["publishNotReadyAddresses"].as_bool();
  for (const ObjectPtr& pod :
       world.store.list(kinds::kPod.collection(), api::namespace_of(service)).objects) {
    bool selected = true;
    for (const auto& [key, value] : selector.members()) {
      const std::string* label = pod->labels().find(key);
      selected = selected && label != nullptr && *label == value.as_string();
    }
    if (!selected || pod->deleting()) continue;
    const auto content = pod->content();
    const Json& ip = (*content)["status"]["podIP"];
    const std::string_view phase = phase_of(*content);
    if (!ip.is_string() || phase == "Succeeded" || phase == "Failed") continue;
    const bool ready = publish || is_ready(*content);
    const Json target =
        Json::object({{"kind", "Pod"}, {"name", pod->name()}, {"namespace", pod->ns()}, {"uid", pod->uid()}});
    const Json& node = (*content)["spec"]["nodeName"];
    (ready ? backends.ready : backends.not_ready)
        .push_back(Json::object({{"ip", ip}, {"nodeName", node}, {"targetRef", target}}));
    backends.slice.push_back(Json::object(
        {{"addresses", Json::array({ip})},
         {"conditions", Json::object({{"ready", ready}, {"serving", ready}, {"terminating", false}})},
         {"nodeName", node},
         {"targetRef", target}}));
    if (!backends.keep) {
      backends.keep = content;
      backends.sample = content.get();
    }
  }
  return backends;
}

// The number behind targetPort: itself, the port of a container that has the name, or the service's own.
std::int64_t target_port(const Json& port, const Json* pod) {
  const Json& target = port["targetPort"];
  if (target.is_int() && target.as_int() != 0) return target.as_int();
  if (target.is_string() && pod != nullptr) {
    for (const Json& container : (*pod)["spec"]["containers"].elements()) {
      for (const Json& named : container["ports"].elements()) {
        if (named["name"].as_string() == target.as_string()) return named["containerPort"].as_int();
      }
    }
  }
  return port["port"].as_int();
}

Json ports_of(const Json& service, const Json* pod) {
  Json ports = Json::array();
  for (const Json& port : service["spec"]["ports"].elements()) {
    Json made =
        Json::object({{"port", target_port(port, pod)}, {"protocol", port["protocol"].as_string("TCP")}});
    if (port.contains("name")) made.set("name", port["name"]);
    if (port.contains("appProtocol")) made.set("appProtocol", port["appProtocol"]);
    ports.push_back(std::move(made));
  }
  return ports;
}

Task<Status> put(World& world, store::StoredKind kind, Json wanted, std::vector<std::string_view> fields) {
  auto want = std::make_shared<const Json>(std::move(wanted));
  auto ensuring = ensure(world, kind, *want);
  const Status ensured = co_await std::move(ensuring);
  if (!ensured) co_return ensured;
  auto changing = world.writer.modify(kind, store::Part::Main, api::key_of(*want),
                                      [want, fields](Json& object) -> Result<bool> {
                                        bool changed = false;
                                        for (const std::string_view field : fields) {
                                          if (std::as_const(object)[field] == (*want)[field]) continue;
                                          object.set(field, (*want)[field]);
                                          changed = true;
                                        }
                                        return changed;
                                      });
  const auto changed = co_await std::move(changing);
  if (!changed && !changed.error().is(Code::NotFound)) co_return changed.error();
  co_return Status();
}

}  // namespace

Task<Outcome> ServiceSimulator::reconcile(reconcile::Key key) {
  const ObjectPtr service = world_.get(kinds::kService, key.object);
  if (!service || service->deleting()) co_return Outcome::done();
  const auto content = service->content();
  const Json& spec = (*content)["spec"];

  // An address that is there stays, whoever gave it.
  if (spec["type"].as_string() == "LoadBalancer" && (*content)["status"]["loadBalancer"]["ingress"].empty()) {
    Json status = (*content)["status"];
    const auto number = static_cast<unsigned>(world_.chance("lb/" + service->uid()) * 65'000);
    const std::string address =
        "172.19." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 2);
    status.make({"loadBalancer", "ingress"}) =
        Json::array({Json::object({{"ip", address}, {"ipMode", "VIP"}})});
    auto writing = write_status(world_, kinds::kService, key.object, std::move(status));
    const Status written = co_await std::move(writing);
    if (!written) co_return Outcome::retry(written.error());
  }
  if (spec["selector"].empty() || spec["type"].as_string() == "ExternalName") co_return Outcome::done();

  const Backends backends = find_backends(world_, *content);
  const Json ports = ports_of(*content, backends.sample);
  Json subsets = Json::array();
  if (!backends.ready.empty() || !backends.not_ready.empty()) {
    Json subset = Json::object({{"ports", ports}});
    if (!backends.ready.empty()) subset.set("addresses", backends.ready);
    if (!backends.not_ready.empty()) subset.set("notReadyAddresses", backends.not_ready);
    subsets.push_back(std::move(subset));
  }
  Json endpoints = Json::object(
      {{"apiVersion", "v1"},
       {"kind", "Endpoints"},
       {"metadata",
        Json::object({{"name", key.object.name},
                      {"namespace", key.object.ns},
                      {"labels", (*content)["metadata"]["labels"]},
                      {"annotations", Json::object({{"endpoints.kubernetes.io/last-change-trigger-time",
                                                     (*content)["metadata"]["creationTimestamp"]}})}})},
       {"subsets", std::move(subsets)}});
  auto putting = put(world_, kinds::kEndpoints, std::move(endpoints), {"subsets"});
  const Status put_endpoints = co_await std::move(putting);
  if (!put_endpoints) co_return Outcome::retry(put_endpoints.error());

  const std::string slice_name = key.object.name + suffix(world_, service->uid() + "/slice");
  Json slice = Json::object(
      {{"apiVersion", "discovery.k8s.io/v1"},
       {"kind", "EndpointSlice"},
       {"metadata", Json::object({{"name", slice_name},
                                  {"namespace", key.object.ns},
                                  {"generateName", key.object.name + "-"},
                                  {"labels", Json::object({{"kubernetes.io/service-name", key.object.name},
                                                           {"endpointslice.kubernetes.io/managed-by",
                                                            "endpointslice-controller.k8s.io"}})},
                                  {"ownerReferences", Json::array({owner_reference(*content)})}})},
       {"addressType", "IPv4"},
       {"endpoints", backends.slice},
       {"ports", ports}});
  auto slicing = put(world_, kinds::kEndpointSlice, std::move(slice), {"endpoints", "ports"});
  co_return Outcome::of(co_await std::move(slicing));
}

}  // namespace flotilla::simulation
