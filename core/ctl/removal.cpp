// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/removal.hpp"

#include <fmt/format.h>

#include <set>
#include <thread>

#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/ctl/accounts.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr auto kPause = std::chrono::milliseconds(200);

std::string works_of(const std::string& cluster) {
  return fmt::format("/apis/work.karmada.io/v1alpha1/namespaces/{}/works", api::execution_namespace(cluster));
}

std::string one_of(const std::string& collection, const Json& object) {
  return collection + "/" + http::percent_encode(api::name_of(object));
}

void strip_finalizers(Session& session, const std::string& target) {
  const Json none = Json::object({{"metadata", Json::object({{"finalizers", nullptr}})}});
  static_cast<void>(session.patch(target, none, "application/merge-patch+json"));
}

void let_works_go(Session& session, const std::string& cluster) {
  const Result<Json> works = session.get(works_of(cluster));
  if (!works) return;
  for (const Json& work : (*works)["items"].elements())
    strip_finalizers(session, one_of(works_of(cluster), work));
}

// In this order, whatever each of them answers.
void let_go(Session& session, const std::string& cluster) {
  let_works_go(session, cluster);
  const std::string space = "/api/v1/namespaces/" + api::execution_namespace(cluster);
  if (Result<Json> ns = session.get(space); ns) {
    ns->make({"spec"}).set("finalizers", Json::array());
    static_cast<void>(session.put(space + "/finalize", *ns));
  }
  strip_finalizers(session, std::string(kClusters) + "/" + http::percent_encode(cluster));
}

Error too_late(const std::string& what) {
  return Error(
      Code::Timeout,
      what + " still being removed; it goes on in the background, and --force lets go of what does not go");
}

}  // namespace

Status remove_cluster(Session& control_plane, const std::string& name, SteadyTime until, bool force) {
  const std::string target = std::string(kClusters) + "/" + http::percent_encode(name);
  const Result<Json> removed = control_plane.remove(target);
  if (!removed && !removed.error().is(Code::NotFound)) return removed.error();
  const Result<bool> gone = wait_until_gone(control_plane, target, until);
  if (!gone) return gone.error();
  if (*gone) return {};
  if (!force) return too_late(fmt::format("cluster {} is", name));
  let_go(control_plane, name);
  return {};
}

// A control plane that still wants them makes new ones at once: those go with the Cluster.
Status remove_works(Session& control_plane, const std::string& name, SteadyTime until, bool force) {
  const SystemClock clock;
  const std::string collection = works_of(name);
  std::set<std::string> due;  // uids
  for (bool first = true;; first = false) {
    const Result<Json> works = control_plane.get(collection);
    if (!works) return works.error();
    std::set<std::string> left;
    for (const Json& work : (*works)["items"].elements()) {
      const std::string uid(api::uid_of(work));
      if (!first && !due.contains(uid)) continue;
      left.insert(uid);
      if (!work["metadata"]["deletionTimestamp"].as_string().empty()) continue;
      const Json options = Json::object({{"apiVersion", "v1"},
                                         {"kind", "DeleteOptions"},
                                         {"propagationPolicy", "Background"},
                                         {"preconditions", Json::object({{"uid", uid}})}});
      const Result<Json> removed = control_plane.remove(one_of(collection, work), options);
      if (!removed && !removed.error().is(Code::NotFound) && !removed.error().is(Code::Conflict))
        return removed.error();
    }
    if (left.empty()) return {};
    due = std::move(left);
    if (clock.steady_now() > until) break;
    std::this_thread::sleep_for(kPause);
  }
  if (!force) return too_late(fmt::format("the Works of cluster {} are", name));
  let_works_go(control_plane, name);
  return {};
}

}  // namespace flotilla::ctl
