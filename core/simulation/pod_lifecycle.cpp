// SPDX-License-Identifier: Apache-2.0
#include "core/simulation/pod_lifecycle.hpp"

#include <algorithm>

#include "core/api/conditions.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {
namespace {

constexpr Duration kRetryRoom = std::chrono::seconds(5);

std::string failure_of(const World& world, const Json& pod) {
  const std::string_view asked = api::annotation_of(pod, kFailAnnotation);
  if (!asked.empty()) return std::string(asked);
  const bool unlucky =
      world.settings.failure_rate > 0 &&
      world.chance(std::string("fail/") + std::string(api::name_of(pod))) < world.settings.failure_rate;
  return unlucky ? "crash" : "";
}

// Containers that end by themselves: those of jobs, and bare pods that are not restarted.
bool ends(const Json& pod) {
  return pod["spec"]["restartPolicy"].as_string("Always") != "Always";
}

Json container_status(const Json& container, const Json& state, bool ready, std::int64_t restarts) {
  return Json::object({{"name", container["name"]},
                       {"image", container["image"]},
                       {"imageID", "simulated://" + std::string(container["image"].as_string())},
                       {"containerID", "simulated://" + std::string(container["name"].as_string())},
                       {"ready", ready},
                       {"started", state.contains("running")},
                       {"restartCount", restarts},
                       {"state", state},
                       {"lastState", Json::object()}});
}

Json container_statuses(const Json& pod, const Json& state, bool ready, std::int64_t restarts) {
  Json all = Json::array();
  for (const Json& container : pod["spec"]["containers"].elements()) {
    all.push_back(container_status(container, state, ready, restarts));
  }
  return all;
}

Json waiting(std::string_view reason, std::string_view message = {}) {
  Json detail = Json::object({{"reason", reason}});
  if (!message.empty()) detail.set("message", message);
  return Json::object({{"waiting", std::move(detail)}});
}

void set_ready(Json& status, bool ready, std::string_view reason, WallTime now) {
  Json& conditions = status["conditions"];
  const std::string_view text = ready ? "True" : "False";
  const std::string_view why = ready ? "" : reason;
  api::set_condition(conditions, {"Initialized", "True", "", ""}, now);
  api::set_condition(conditions, {"Ready", text, why, ""}, now);
  api::set_condition(conditions, {"ContainersReady", text, why, ""}, now);
  api::set_condition(conditions, {"PodScheduled", "True", "", ""}, now);
}

}  // namespace

Task<Outcome> PodLifecycle::reconcile(reconcile::Key key) {
  const ObjectPtr pod = world_.get(kinds::kPod, key.object);
  const auto life = lives_.find(key.object);
  if (life != lives_.end() && (!pod || pod->uid() != life->second.uid)) {
    if (nodes_.release(life->second.uid)) retry_unschedulable();
    lives_.erase(life);
  }
  if (!pod) {
    waiting_for_room_.erase(key.object);
    co_return Outcome::done();
  }
  const std::shared_ptr<const Json> content = pod->content();
  const std::string_view phase = phase_of(*content);
  if (pod->deleting()) {
    auto stopping = stop(pod);
    co_return co_await std::move(stopping);
  }
  if ((*content)["spec"]["nodeName"].as_string().empty()) {
    auto scheduling = schedule(pod);
    co_return co_await std::move(scheduling);
  }
  if (phase == "Succeeded" || phase == "Failed") {
    if (nodes_.release(pod->uid())) retry_unschedulable();
    co_return Outcome::done();
  }
  auto running = run(pod);
  co_return co_await std::move(running);
}

void PodLifecycle::retry_unschedulable() {
  for (const ObjectKey& key : waiting_for_room_) wake_(key);
}

Duration PodLifecycle::remaining(const ObjectKey& key, const std::string& uid, Duration step) {
  const SteadyTime now = world_.clock.steady_now();
  const auto [it, fresh] = lives_.try_emplace(key, Life{uid, now});
  const Duration passed = now - it->second.since;
  return passed >= step ? Duration(0) : step - passed;
}

void PodLifecycle::next_step(const ObjectKey& key) {
  lives_[key].since = world_.clock.steady_now();
}

std::string PodLifecycle::pod_address() {
  const std::uint32_t n = ++addresses_;
  return "10.244." + std::to_string(n / 250 % 256) + "." + std::to_string(n % 250 + 2);
}

// The grace period is the longest a kubelet would wait; a simulated container ends after delay.pod_stop.
Task<Outcome> PodLifecycle::stop(ObjectPtr pod) {
  const auto [life, fresh] = stopping_.try_emplace(pod->uid(), world_.clock.steady_now());
  const Duration passed = world_.clock.steady_now() - life->second;
  if (passed < world_.settings.delay.pod_stop)
    co_return Outcome::again_in(world_.settings.delay.pod_stop - passed);
  stopping_.erase(life);
  if (api::has_finalizer(*pod->content(), kJobTracking)) {
    // Its job may be gone and count no more.
    auto freeing = world_.writer.modify(
        kinds::kPod, store::Part::Main, pod->key(),
        [](Json& stored) -> Result<bool> { return api::remove_finalizer(stored, kJobTracking); });
    const auto freed = co_await std::move(freeing);
    if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  }
  store::DeleteOptions options;
  options.grace_period_seconds = 0;
  options.uid = pod->uid();
  auto removing = world_.writer.remove(kinds::kPod, pod->key(), std::move(options));
  const auto removed = co_await std::move(removing);
  if (!removed && !removed.error().is(Code::NotFound)) co_return Outcome::retry(removed.error());
  co_return Outcome::done();
}

Task<Outcome> PodLifecycle::schedule(ObjectPtr pod) {
  const auto content = pod->content();
  const NodeFit fit = nodes_.place(*content);
  if (fit.node.empty()) {
    waiting_for_room_.insert(pod->key());
    world_.events.record(*content, reconcile::kWarning, "FailedScheduling", fit.reason);
    Json status = (*content)["status"];
    status.set("phase", "Pending");
    api::set_condition(status["conditions"], {"PodScheduled", "False", "Unschedulable", fit.reason},
                       world_.now());
    auto writing = write(pod, std::move(status), kRetryRoom);
    co_return co_await std::move(writing);
  }
  waiting_for_room_.erase(pod->key());
  nodes_.book(pod->uid(), fit.node, needs_of(*content));
  lives_[pod->key()] = {pod->uid(), world_.clock.steady_now()};
  const std::string node = fit.node;
  auto binding =
      world_.writer.modify(kinds::kPod, store::Part::Main, pod->key(), [node](Json& object) -> Result<bool> {
        object.make({"spec", "nodeName"}) = node;
        return true;
      });
  const auto bound = co_await std::move(binding);
  if (!bound) {
    nodes_.release(pod->uid());
    co_return bound.error().is(Code::NotFound) ? Outcome::done() : Outcome::retry(bound.error());
  }
  world_.events.record(*(*bound)->content(), reconcile::kNormal, "Scheduled",
                       "Successfully assigned " + pod->key().text() + " to " + node);
  co_return Outcome::again_in(world_.settings.delay.pod_start);
}

Task<Outcome> PodLifecycle::run(ObjectPtr pod) {
  const auto content = pod->content();
  const Json& known = (*content)["status"];
  const DelaySettings& delay = world_.settings.delay;
  const std::string failure = failure_of(world_, *content);
  const std::string stamp = format_time(world_.now());
  nodes_.book(pod->uid(), std::string((*content)["spec"]["nodeName"].as_string()), needs_of(*content));

  Json status = known;
  if (phase_of(*content) == "Pending") {
    if (const Duration wait = remaining(pod->key(), pod->uid(), delay.pod_start); wait > Duration(0)) {
      co_return Outcome::again_in(wait);
    }
    next_step(pod->key());
    status.set("hostIP", "172.18.0.2");
    status.set("startTime", stamp);
    if (failure == "image") {
      status.set(
          "containerStatuses",
          container_statuses(*content, waiting("ImagePullBackOff", "Back-off pulling image"), false, 0));
      set_ready(status, false, "ContainersNotReady", world_.now());
      if (status == known) co_return Outcome::done();
      auto failing = write(pod, std::move(status), Duration(0));
      co_return co_await std::move(failing);
    }
    const std::string address = pod_address();
    status.set("phase", "Running");
    status.set("podIP", address);
    status.set("podIPs", Json::array({Json::object({{"ip", address}})}));
    const bool crashes = failure == "crash";
    const Json state = crashes ? waiting("CrashLoopBackOff", "back-off restarting failed container")
                               : Json::object({{"running", Json::object({{"startedAt", stamp}})}});
    const bool ready = !crashes && failure != "unready" && delay.pod_ready == Duration(0);
    status.set("containerStatuses", container_statuses(*content, state, ready, crashes ? 1 : 0));
    set_ready(status, ready, "ContainersNotReady", world_.now());
    if (crashes) {
      world_.events.record(*content, reconcile::kWarning, "BackOff", "Back-off restarting failed container");
    } else {
      world_.events.record(*content, reconcile::kNormal, "Started", "Started container");
    }
    auto starting =
        write(pod, std::move(status), crashes ? Duration(0) : std::max(delay.pod_ready, Duration(1)));
    co_return co_await std::move(starting);
  }
  if (failure == "crash" || failure == "image") co_return Outcome::done();

  if (!is_ready(*content) && failure != "unready") {
    if (const Duration wait = remaining(pod->key(), pod->uid(), delay.pod_ready); wait > Duration(0)) {
      co_return Outcome::again_in(wait);
    }
    next_step(pod->key());
    for (Json& one : status["containerStatuses"].elements()) one.set("ready", true);
    set_ready(status, true, "", world_.now());
    auto readying =
        write(pod, std::move(status), ends(*content) ? std::max(delay.job, Duration(1)) : Duration(0));
    co_return co_await std::move(readying);
  }
  if (!ends(*content)) co_return Outcome::done();

  if (const Duration wait = remaining(pod->key(), pod->uid(), delay.job); wait > Duration(0)) {
    co_return Outcome::again_in(wait);
  }
  const bool failed = failure == "exit";
  const Json ended = Json::object({{"terminated", Json::object({{"exitCode", failed ? 1 : 0},
                                                                {"reason", failed ? "Error" : "Completed"},
                                                                {"startedAt", known["startTime"]},
                                                                {"finishedAt", stamp}})}});
  status.set("phase", failed ? "Failed" : "Succeeded");
  status.set("containerStatuses", container_statuses(*content, ended, false, 0));
  set_ready(status, false, "PodCompleted", world_.now());
  auto ending = write(pod, std::move(status), Duration(0));
  co_return co_await std::move(ending);
}

// Writes and looks again after `next` (0: only when something changes).
Task<Outcome> PodLifecycle::write(ObjectPtr pod, Json status, Duration next) {
  auto writing = write_status(world_, kinds::kPod, pod->key(), std::move(status));
  const Status written = co_await std::move(writing);
  if (!written) co_return Outcome::retry(written.error());
  co_return next > Duration(0) ? Outcome::again_in(next) : Outcome::done();
}

}  // namespace flotilla::simulation
