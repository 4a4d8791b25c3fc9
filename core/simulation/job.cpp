// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/api/conditions.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {
namespace {

struct JobView {
  std::int64_t parallelism;
  std::int64_t completions;  // for work queues (no completions): parallelism
  bool work_queue;
  std::int64_t backoff_limit;
  bool suspended;
};

JobView view_of(const Json& spec) {
  JobView job;
  job.parallelism = spec["parallelism"].as_int(1);
  job.work_queue = !spec.contains("completions");
  job.completions = spec["completions"].as_int(job.parallelism);
  job.backoff_limit = spec["backoffLimit"].as_int(6);
  job.suspended = spec["suspend"].as_bool();
  return job;
}

bool is_finished(const Json& status) {
  return api::is_condition_true(status["conditions"], "Complete") ||
         api::is_condition_true(status["conditions"], "Failed");
}

// Job conditions carry lastProbeTime beside what metav1.Condition has.
void add_condition(Json& status, std::string_view type, std::string_view reason, std::string_view message,
                   WallTime now) {
  api::set_condition(status["conditions"], {type, "True", reason, message}, now);
  for (Json& condition : status["conditions"].elements()) {
    if (!condition.contains("lastProbeTime")) condition.set("lastProbeTime", format_time(now));
  }
}

void add_failure(Json& status, WallTime now) {
  add_condition(status, "FailureTarget", "BackoffLimitExceeded",
                "Job has reached the specified backoff limit", now);
  add_condition(status, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit", now);
}

void put(Json& status, const char* field, std::int64_t value) {
  if (value != 0) {
    status.set(field, value);
  } else {
    status.erase(field);
  }
}

// Ordinals are taken in turn, so the index need not know the newest pods: a gap in the names ends the count.
// `over` are pods that have ended, or are about to, and that the job still holds on to.
PodCounts count_pods(World& world, const ObjectPtr& job, std::vector<ObjectKey>& active,
                     std::vector<ObjectKey>& over) {
  PodCounts counts;
  for (std::int64_t ordinal = 0;; ++ordinal) {
    const ObjectKey pod_key{job->ns(),
                            job->name() + suffix(world, job->uid() + "/" + std::to_string(ordinal))};
    const ObjectPtr pod = world.get(kinds::kPod, pod_key);
    if (!pod) break;
    ++counts.total;
    const auto pod_content = pod->content();
    const std::string_view phase = phase_of(*pod_content);
    const bool ended = phase == "Succeeded" || phase == "Failed";
    if ((ended || pod->deleting()) && api::has_finalizer(*pod_content, kJobTracking)) over.push_back(pod_key);
    if (phase == "Succeeded") {
      ++counts.succeeded;
    } else if (phase == "Failed") {
      ++counts.failed;
    } else if (!pod->deleting()) {
      ++counts.active;
      active.push_back(pod_key);
      if (is_ready(*pod_content)) ++counts.ready;
    }
  }
  return counts;
}

Task<Status> release_pods(World& world, std::vector<ObjectKey> over) {
  for (const ObjectKey& pod : over) {
    auto releasing = world.writer.modify(
        kinds::kPod, store::Part::Main, pod,
        [](Json& stored) -> Result<bool> { return api::remove_finalizer(stored, kJobTracking); });
    const auto released = co_await std::move(releasing);
    if (!released && !released.error().is(Code::NotFound)) co_return released.error();
  }
  co_return Status();
}

}  // namespace

// 1. Count the pods it owns. 2. Enough succeeded: Complete; too many failed: Failed. 3. Else keep as many
// pods active as parallelism and what is missing allow. 4. ttlSecondsAfterFinished after the end: delete.
Task<Outcome> JobSimulator::reconcile(reconcile::Key key) {
  const ObjectPtr job = world_.get(kinds::kJob, key.object);
  if (!job || job->deleting()) co_return Outcome::done();
  const auto content = job->content();
  const Json& spec = (*content)["spec"];
  const JobView view = view_of(spec);
  Json status = (*content)["status"];
  if (!status.is_object()) status = Json::object();

  if (is_finished(status)) {
    if (!spec.contains("ttlSecondsAfterFinished")) co_return Outcome::done();
    const auto ended = parse_time(std::as_const(status)["completionTime"].as_string());
    const WallTime end = ended ? *ended : world_.now();
    const Duration left = end + std::chrono::seconds(spec["ttlSecondsAfterFinished"].as_int()) - world_.now();
    if (left > Duration(0)) co_return Outcome::again_in(left);
    store::DeleteOptions options;
    options.propagation = "Foreground";
    auto removing = world_.writer.remove(kinds::kJob, key.object, std::move(options));
    co_return Outcome::of(co_await std::move(removing));
  }

  std::vector<ObjectKey> active;
  std::vector<ObjectKey> over;
  PodCounts counts = count_pods(world_, job, active, over);
  auto releasing = release_pods(world_, std::move(over));
  const Status released = co_await std::move(releasing);
  if (!released) co_return Outcome::retry(released.error());
  const WallTime now = world_.now();
  const bool complete =
      view.work_queue ? counts.succeeded > 0 && counts.active == 0 : counts.succeeded >= view.completions;
  const bool failed = counts.failed > view.backoff_limit;
  if (!view.suspended && !status.contains("startTime")) status.set("startTime", format_time(now));

  if (complete) {
    status.set("completionTime", format_time(now));
    add_condition(status, "SuccessCriteriaMet", "CompletionsReached",
                  "Reached expected number of succeeded pods", now);
    add_condition(status, "Complete", "CompletionsReached", "Reached expected number of succeeded pods", now);
    world_.events.record(*content, reconcile::kNormal, "Completed", "Job completed");
  } else if (failed) {
    add_failure(status, now);
  }
  std::int64_t wanted = 0;
  if (!complete && !failed && !view.suspended) {
    const std::int64_t missing =
        view.work_queue && counts.succeeded > 0 ? counts.active : view.completions - counts.succeeded;
    wanted = std::min(view.parallelism, missing);
  }
  for (; counts.active < wanted; ++counts.active, ++counts.total) {
    const std::string name = job->name() + suffix(world_, job->uid() + "/" + std::to_string(counts.total));
    Json pod = pod_from_template(*content, spec["template"], name);
    api::add_finalizer(pod, kJobTracking);
    auto creating = ensure(world_, kinds::kPod, std::move(pod));
    const Status created = co_await std::move(creating);
    if (!created) co_return Outcome::retry(created.error());
  }
  while (counts.active > wanted && !active.empty()) {
    auto deleting = delete_pod(world_, active.back());
    const Status deleted = co_await std::move(deleting);
    if (!deleted) co_return Outcome::retry(deleted.error());
    active.pop_back();
    --counts.active;
  }
  put(status, "active", counts.active);
  put(status, "succeeded", counts.succeeded);
  put(status, "failed", counts.failed);
  status.set("ready", counts.ready);
  status.set("uncountedTerminatedPods", Json::object());
  auto writing = write_status(world_, kinds::kJob, key.object, std::move(status));
  const Status written = co_await std::move(writing);
  if (!written) co_return Outcome::retry(written.error());
  if ((complete || failed) && spec.contains("ttlSecondsAfterFinished")) {
    co_return Outcome::again_in(std::chrono::seconds(spec["ttlSecondsAfterFinished"].as_int()));
  }
  co_return Outcome::done();
}

}  // namespace flotilla::simulation
