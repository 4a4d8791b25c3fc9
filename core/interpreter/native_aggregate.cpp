// SPDX-License-Identifier: Apache-2.0
// Statuses that are phases, addresses or lists: pods, volumes, load balancers.
#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/interpreter/fields.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

// The first of these that any member reports is the phase of all.
constexpr std::array<std::string_view, 4> kPodPhases = {"Failed", "Pending", "Running", "Succeeded"};
constexpr std::array<std::string_view, 5> kVolumePhases = {"Failed", "Pending", "Available", "Bound",
                                                           "Released"};
constexpr std::string_view kPending = "Pending";

// Keeps the old status where the new one says the same.
api::Json settle(const api::Json& object, api::Json status) {
  const api::Json& old = object["status"];
  return same_content(old, status) ? old : std::move(status);
}

Error in_member(Status failed, const api::Json& item) {
  return std::move(failed).context("member " + std::string(item["clusterName"].as_string()));
}

// The phases that members report; one that reports no status at all is pending. Empty phases are none of the
// list.
Result<std::vector<std::string_view>> reported_phases(std::span<const api::Json> items) {
  std::vector<std::string_view> phases;
  for (const api::Json& item : items) {
    if (item["status"].is_null()) {
      phases.push_back(kPending);
      continue;
    }
    FieldReader status(item["status"], "status");
    phases.push_back(status.text("phase"));
    if (Status read = status.ok(); !read) return in_member(std::move(read), item);
  }
  return phases;
}

Result<api::Json> foremost_phase(std::span<const api::Json> items, std::span<const std::string_view> order) {
  Result<std::vector<std::string_view>> reported = reported_phases(items);
  if (!reported) return std::move(reported).error();
  for (std::string_view phase : order) {
    if (std::find(reported->begin(), reported->end(), phase) != reported->end()) return api::Json(phase);
  }
  return api::Json();
}

// Of a container's status only whether it is ready and its state mean something across clusters; the other
// members are there because the API demands them.
api::Json container_status(const api::Json& reported) {
  api::Json status = api::Json::object({{"name", ""}, {"restartCount", 0}, {"image", ""}, {"imageID", ""}});
  status.set("ready", reported["ready"].as_bool());
  api::Json state = reported["state"];
  if (api::Json* terminated = state.find("terminated"); terminated != nullptr && terminated->is_object()) {
    if (!terminated->contains("exitCode")) terminated->set("exitCode", 0);
  }
  if (!state.is_null()) status.set("state", std::move(state));
  return status;
}

// An address as Kubernetes tells them apart, with the ports that any member serves there.
struct Address {
  std::string ip;
  std::string hostname;
  std::string ip_mode;
  std::vector<api::Json> ports;

  auto key() const { return std::tie(ip, hostname, ip_mode); }
};

auto port_key(const api::Json& port) {
  return std::make_tuple(port["port"].as_int(), std::string(port["protocol"].as_string()),
                         std::string(port["error"].as_string()));
}

void add_address(std::vector<Address>& addresses, const api::Json& ingress) {
  Address address{std::string(ingress["ip"].as_string()),
                  std::string(ingress["hostname"].as_string()),
                  std::string(ingress["ipMode"].as_string()),
                  {}};
  auto place = std::lower_bound(addresses.begin(), addresses.end(), address,
                                [](const Address& a, const Address& b) { return a.key() < b.key(); });
  if (place == addresses.end() || place->key() != address.key()) {
    place = addresses.insert(place, std::move(address));
  }
  for (const api::Json& port : ingress["ports"].elements()) {
    auto before = [](const api::Json& a, const api::Json& b) { return port_key(a) < port_key(b); };
    auto at = std::lower_bound(place->ports.begin(), place->ports.end(), port, before);
    if (at == place->ports.end() || port_key(*at) != port_key(port)) place->ports.insert(at, port);
  }
}

api::Json to_json(const Address& address) {
  api::Json ingress = api::Json::object();
  if (!address.ip.empty()) ingress.set("ip", address.ip);
  if (!address.hostname.empty()) ingress.set("hostname", address.hostname);
  if (!address.ip_mode.empty()) ingress.set("ipMode", address.ip_mode);
  for (const api::Json& port : address.ports) ingress["ports"].push_back(port);
  return ingress;
}

}  // namespace

Result<api::Json> aggregate_pod(const api::Json& object, std::span<const api::Json> items, WallTime) {
  Result<api::Json> phase = foremost_phase(items, kPodPhases);
  if (!phase) return phase;
  api::Json status = api::Json::object();
  if (!phase->is_null()) status.set("phase", *phase);
  for (const api::Json& item : items) {
    FieldReader reported(item["status"], "status");
    for (std::string_view list : {"containerStatuses", "initContainerStatuses"}) {
      for (const api::Json& container : reported.list(list)) {
        status[list].push_back(container_status(container));
      }
    }
    if (Status read = reported.ok(); !read) return in_member(std::move(read), item);
  }
  return settle(object, std::move(status));
}

Result<api::Json> aggregate_volume(const api::Json& object, std::span<const api::Json> items, WallTime) {
  Result<api::Json> phase = foremost_phase(items, kVolumePhases);
  if (!phase) return phase;
  return settle(object, api::Json::object({{"phase", *phase}}));
}

// Bound when all members are; Lost as soon as one is; else the phase of the last that is not bound.
Result<api::Json> aggregate_claim(const api::Json& object, std::span<const api::Json> items, WallTime) {
  std::string_view phase = "Bound";
  for (const api::Json& item : items) {
    if (item["status"].is_null()) continue;
    FieldReader reported(item["status"], "status");
    std::string_view here = reported.text("phase");
    if (Status read = reported.ok(); !read) return in_member(std::move(read), item);
    if (here != "Bound") phase = here;
    if (here == "Lost") break;
  }
  return settle(object, api::Json::object({{"phase", phase}}));
}

Result<api::Json> aggregate_service(const api::Json& object, std::span<const api::Json> items, WallTime now) {
  if (object.at({"spec", "type"}).as_string() != "LoadBalancer") return api::Json(object["status"]);
  return aggregate_ingress(object, items, now);
}

Result<api::Json> aggregate_ingress(const api::Json& object, std::span<const api::Json> items, WallTime) {
  std::vector<Address> addresses;
  for (const api::Json& item : items) {
    FieldReader reported(item["status"], "status");
    FieldReader balancer(reported.object("loadBalancer"), "status.loadBalancer");
    for (const api::Json& ingress : balancer.list("ingress")) add_address(addresses, ingress);
    if (Status read = reported.ok(); !read) return in_member(std::move(read), item);
    if (Status read = balancer.ok(); !read) return in_member(std::move(read), item);
  }
  api::Json status = api::Json::object({{"loadBalancer", api::Json::object()}});
  for (const Address& address : addresses) {
    status["loadBalancer"]["ingress"].push_back(to_json(address));
  }
  return settle(object, std::move(status));
}

}  // namespace flotilla::interpreter
