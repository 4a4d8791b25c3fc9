// SPDX-License-Identifier: Apache-2.0
#include "core/planning/simulation_jobs.hpp"

#include <random>

namespace flotilla::planning {
namespace {

constexpr std::size_t kMostJobs = 32;
constexpr Duration kMoment = std::chrono::seconds(1);
constexpr Duration kKept = std::chrono::minutes(2);

// Knowing it is the right to ask: whoever began the simulation has it.
std::string new_id() {
  std::random_device random;
  std::string id = "simulation-";
  for (int i = 0; i < 16; ++i) id.push_back("0123456789abcdef"[random() % 16]);
  return id;
}

}  // namespace

struct SimulationJobs::Job {
  SimulationQuestion question;
  SimulationProgress progress;
  Result<Json> answer{Error(Code::Cancelled, "the daemon is stopping")};  // before `done`
  std::atomic<bool> done{false};
  SteadyTime began;
};

SimulationJobs::SimulationJobs(const Executor& executor, std::atomic<int>& waiting)
    : executor_(executor), waiting_(waiting), strand_(executor.strand()) {}

Task<Result<Json>> SimulationJobs::begin(SimulationQuestion question, const Sources* sources,
                                         const Executor* worker) {
  auto hopping = resume_on(strand_);
  co_await std::move(hopping);
  const SteadyTime now = executor_.clock().steady_now();
  std::erase_if(jobs_,
                [&](const auto& entry) { return entry.second->done && now - entry.second->began > kKept; });
  if (jobs_.size() >= kMostJobs || waiting_.fetch_add(1) >= kMostQuestionsWaiting) {
    if (jobs_.size() < kMostJobs) waiting_.fetch_sub(1);
    co_return Error(Code::ResourceExhausted, "too many questions are waiting: try again");
  }
  auto job = std::make_shared<Job>();
  job->question = std::move(question);
  job->began = now;
  const std::string id = new_id();
  jobs_[id] = job;
  worker->post_blocking([job, sources, waiting = &waiting_] {
    job->answer = simulate(*sources, job->question, job->progress);
    waiting->fetch_sub(1);
    job->done.store(true);
  });
  auto answering = wait_for(job, id);
  co_return co_await std::move(answering);
}

Task<Result<Json>> SimulationJobs::look(std::string id) {
  auto hopping = resume_on(strand_);
  co_await std::move(hopping);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) co_return not_found("simulation \"" + id + "\" not found");
  auto answering = wait_for(it->second, std::move(id));
  co_return co_await std::move(answering);
}

Task<Result<Json>> SimulationJobs::wait_for(std::shared_ptr<Job> job, std::string id) {
  Duration waited{}, pause = std::chrono::milliseconds(1);
  while (!job->done.load() && waited < kMoment) {
    auto sleeping = sleep_for(pause);
    if (!co_await std::move(sleeping)) break;
    waited += pause;
    pause = std::min<Duration>(pause * 2, std::chrono::milliseconds(50));
  }
  if (!job->done.load()) {
    co_return Json::object({{"kind", "SimulationProgress"},
                            {"id", id},
                            {"looked", job->progress.looked.load()},
                            {"of", job->progress.of.load()}});
  }
  jobs_.erase(id);
  co_return job->answer;
}

}  // namespace flotilla::planning
