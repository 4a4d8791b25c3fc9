// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/api/conditions.hpp"
#include "core/base/cron.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {
namespace {

bool is_finished(const Json& job) {
  const Json& conditions = job["status"]["conditions"];
  return api::is_condition_true(conditions, "Complete") || api::is_condition_true(conditions, "Failed");
}

Json make_job(const Json& cron, WallTime due) {
  const Json& job_template = cron["spec"]["jobTemplate"];
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(due.time_since_epoch()).count();
  const std::string name = std::string(api::name_of(cron)) + "-" + std::to_string(minutes);
  Json metadata = Json::object({{"name", name},
                                {"namespace", api::namespace_of(cron)},
                                {"ownerReferences", Json::array({owner_reference(cron)})}});
  for (const std::string_view part : {"labels", "annotations"}) {
    if (const Json* value = job_template["metadata"].find(part)) metadata.set(part, *value);
  }
  metadata.make({"annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp"}) = format_time(due);
  Json job = Json::object({{"apiVersion", "batch/v1"},
                           {"kind", "Job"},
                           {"metadata", std::move(metadata)},
                           {"spec", job_template["spec"]},
                           {"status", Json::object()}});
  Json& pod_labels = job.make({"spec", "template", "metadata", "labels"});
  pod_labels.set("batch.kubernetes.io/job-name", name);
  pod_labels.set("job-name", name);
  return job;
}

// Keeps the newest `keep` of the finished jobs with this outcome; the rest is to be deleted.
std::vector<ObjectKey> surplus(std::vector<ObjectPtr> jobs, std::string_view outcome, std::int64_t keep) {
  std::erase_if(jobs, [&](const ObjectPtr& job) {
    return !api::is_condition_true((*job->content())["status"]["conditions"], outcome);
  });
  std::sort(jobs.begin(), jobs.end(),
            [](const ObjectPtr& a, const ObjectPtr& b) { return a->revision() > b->revision(); });
  std::vector<ObjectKey> keys;
  for (std::size_t i = static_cast<std::size_t>(keep); i < jobs.size(); ++i) keys.push_back(jobs[i]->key());
  return keys;
}

}  // namespace

// 1. Forget finished jobs beyond the history limits. 2. Due: make the job of that time, as concurrencyPolicy
// allows.
// 3. Come back when the next one is due.
Task<Outcome> CronJobSimulator::reconcile(reconcile::Key key) {
  const ObjectPtr cron = world_.get(kinds::kCronJob, key.object);
  if (!cron || cron->deleting()) co_return Outcome::done();
  const auto content = cron->content();
  const Json& spec = (*content)["spec"];
  const auto schedule = CronSchedule::parse(spec["schedule"].as_string());
  if (!schedule) co_return Outcome::give_up(schedule.error());

  std::vector<ObjectPtr> jobs;
  Json active = Json::array();
  for (const ObjectKey& owned : world_.jobs_of.owned_by(cron->uid())) {
    const ObjectPtr job = world_.get(kinds::kJob, owned);
    if (!job || job->deleting()) continue;
    jobs.push_back(job);
    if (!is_finished(*job->content())) {
      active.push_back(Json::object({{"apiVersion", "batch/v1"},
                                     {"kind", "Job"},
                                     {"name", job->name()},
                                     {"namespace", job->ns()},
                                     {"uid", job->uid()}}));
    }
  }
  std::vector<ObjectKey> old = surplus(jobs, "Complete", spec["successfulJobsHistoryLimit"].as_int(3));
  for (ObjectKey& failed : surplus(jobs, "Failed", spec["failedJobsHistoryLimit"].as_int(1)))
    old.push_back(failed);
  if (spec["concurrencyPolicy"].as_string() == "Replace" && active.size() > 1) {
    for (const Json& running : active.elements())
      old.push_back({cron->ns(), std::string(running["name"].as_string())});
  }
  for (const ObjectKey& job : old) {
    store::DeleteOptions options;
    options.propagation = "Background";
    auto removing = world_.writer.remove(kinds::kJob, job, std::move(options));
    const auto removed = co_await std::move(removing);
    if (!removed && !removed.error().is(Code::NotFound)) co_return Outcome::retry(removed.error());
  }

  Json status = (*content)["status"];
  const Json& known = (*content)["status"];
  const auto last = parse_time(known["lastScheduleTime"].as_string());
  const auto created = parse_time((*content)["metadata"]["creationTimestamp"].as_string());
  const WallTime since = last ? *last : created ? *created : world_.now();
  auto due = schedule->next(since);
  const WallTime now = world_.now();
  const bool suspended = spec["suspend"].as_bool();
  if (due && *due <= now && !suspended) {
    // Of several missed times only the newest counts.
    for (auto later = schedule->next(*due); later && *later <= now; later = schedule->next(*due)) due = later;
    const bool forbidden = spec["concurrencyPolicy"].as_string() == "Forbid" && !active.empty();
    if (!forbidden) {
      Json job = make_job(*content, *due);
      auto creating = ensure(world_, kinds::kJob, std::move(job));
      const Status made = co_await std::move(creating);
      if (!made) co_return Outcome::retry(made.error());
      world_.events.record(*content, reconcile::kNormal, "SuccessfulCreate", "Created job");
    }
    status.set("lastScheduleTime", format_time(*due));
    due = schedule->next(*due);
  }
  if (active.empty()) {
    status.erase("active");
  } else {
    status.set("active", std::move(active));
  }
  auto writing = write_status(world_, kinds::kCronJob, key.object, std::move(status));
  const Status written = co_await std::move(writing);
  if (!written) co_return Outcome::retry(written.error());
  if (!due || suspended) co_return Outcome::done();
  co_return Outcome::again_in(std::max<Duration>(*due - world_.now(), std::chrono::milliseconds(10)));
}

}  // namespace flotilla::simulation
