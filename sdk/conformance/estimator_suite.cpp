// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/estimator_suite.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "sdk/conformance/test_host.hpp"

namespace flotilla::conformance {
namespace {

constexpr std::size_t kAtOnce = 16;

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

flt_str_t str(const std::string& text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}

const char* const kRequirements[] = {
    "", "{}",
    R"({"resourceRequest":{"cpu":"100m","memory":"1Gi"},"namespace":"default","priorityClassName":"high"})",
    R"({"nodeClaim":{"nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"a","operator":"Exists",
        "effect":"NoExecute","tolerationSeconds":5}],"hardNodeAffinity":{"nodeSelectorTerms":[{"matchExpressions":
        [{"key":"zone","operator":"In","values":["x","y"]}],"matchFields":[{"key":"metadata.name","operator":
        "In","values":["n"]}]}]}}})"};
constexpr const char* kComponents =
    R"([{"name":"master","replicas":1,"replicaRequirements":{"resourceRequest":{"cpu":"1"}}},
        {"name":"worker","replicas":3}])";
constexpr const char* kAssumed = R"([{"namespace":"default","components":[{"name":"a","replicas":2,
    "replicaRequirements":{"resourceRequest":{"cpu":"1"}}}]}])";

enum class Operation { Replicas, Sets, Unschedulable };

// What a request consists of; all of it is scribbled over once the operation has returned.
struct Question {
  std::vector<std::string> clusters;
  std::string ns = "default", object = "kind=Deployment, name=default/web", requirements, components;
  std::string assumed, api_version = "apps/v1", kind = "Deployment", name = "web";
  std::vector<flt_str_t> names, promises;

  explicit Question(std::size_t count, const char* requires_json = "", bool promised = false)
      : requirements(requires_json), components(kComponents), assumed(promised ? kAssumed : "") {
    for (std::size_t i = 0; i < count; ++i) clusters.push_back("no-such-cluster-" + std::to_string(i));
    for (const std::string& each : clusters) names.push_back(str(each));
    if (promised) promises.assign(count, str(assumed));
  }
  void ask(const flt_estimator_ops_t& ops, void* self, Operation operation, flt_call_t* call) const {
    if (operation == Operation::Unschedulable) {
      const flt_unschedulable_request_t request{sizeof request,       0,         names.data(), names.size(),
                                                str(api_version),     str(kind), str(ns),      str(name),
                                                INT64_C(300000000000)};
      return ops.unschedulable_replicas(self, &request, call);
    }
    flt_room_request_t request{};
    request.struct_size = sizeof request;
    request.clusters = names.data();
    request.n_clusters = names.size();
    request.ns = str(ns);
    request.object = str(object);
    request.requirements_json = str(requirements);
    if (operation == Operation::Sets) request.components_json = str(components);
    request.assumed_json = promises.empty() ? nullptr : promises.data();
    const auto op =
        operation == Operation::Sets ? ops.max_available_component_sets : ops.max_available_replicas;
    op(self, &request, call);
  }
  void scribble() {
    for (std::string* text : {&ns, &object, &requirements, &components, &assumed, &api_version, &kind, &name})
      std::fill(text->begin(), text->end(), '#');
    for (std::string& each : clusters) std::fill(each.begin(), each.end(), '#');
  }
};

class Subject {
 public:
  explicit Subject(const EstimatorSubject& subject)
      : instance_(host_, *subject.component, subject.config_json, ""),
        ops_(*static_cast<const flt_estimator_ops_t*>(subject.component->ops)) {
    expect(instance_.self() != nullptr, "create failed: " + instance_.created().message);
    const Answer started = instance_.start();
    expect(started.ok(), "start failed: " + started.message);
  }

  TestHost::Pending begin(Question question, Operation operation) {
    return host_.begin([&](flt_call_t* call) {
      question.ask(ops_, instance_.self(), operation, call);
      question.scribble();
    });
  }
  static void check(const Answer& answer, std::size_t clusters) {
    expect(answer.ok(), "the call failed as a whole: " + answer.message);
    expect(answer.result != nullptr, "there is no result");
    const auto& result = answer.as<flt_estimates_t>();
    expect(result.struct_size >= sizeof(flt_estimates_t), "the result is shorter than minor 0 has it");
    expect(result.n_estimates == clusters,
           std::to_string(result.n_estimates) + " estimates for " + std::to_string(clusters) + " clusters");
    for (std::size_t i = 0; i < clusters; ++i) {
      const flt_estimate_t& estimate = result.estimates[i];
      expect(estimate.status != FLT_OK || estimate.value >= FLT_ESTIMATE_UNKNOWN,
             "an estimate is less than unknown");
      expect(estimate.status == FLT_OK || estimate.message.n > 0, "a cluster's failure has no message");
    }
  }
  void ask(const Question& question, Operation operation) {
    check(begin(question, operation).wait(), question.clusters.size());
  }
  std::vector<Operation> operations() const {
    std::vector<Operation> all = {Operation::Replicas};
    if (FLT_HAS(&ops_, max_available_component_sets)) all.push_back(Operation::Sets);
    if (FLT_HAS(&ops_, unschedulable_replicas)) all.push_back(Operation::Unschedulable);
    return all;
  }
  Answer stop() { return instance_.stop(); }
  void expect_no_faults() {
    const auto faults = host_.faults();
    expect(faults.empty(), faults.empty() ? "" : faults.front());
  }

 private:
  TestHost host_;
  TestInstance instance_;
  const flt_estimator_ops_t& ops_;
};

void check_table(const EstimatorSubject& subject) {
  const flt_component_t& component = *subject.component;
  expect(std::string(component.kind) == FLT_KIND_ESTIMATOR, "the component is of another kind");
  expect((component.exec & (FLT_EXEC_ASYNC | FLT_EXEC_BLOCKING)) != 0,
         "the component is neither FLT_EXEC_ASYNC nor FLT_EXEC_BLOCKING");
  const auto* ops = static_cast<const flt_estimator_ops_t*>(component.ops);
  expect(ops != nullptr && ops->struct_size >= sizeof *ops, "the table is shorter than minor 0 has it");
  expect(FLT_HAS(ops, max_available_replicas), "max_available_replicas is missing");
}

void check_order(const EstimatorSubject& subject) {
  Subject under(subject);
  for (const Operation operation : under.operations()) {
    for (const std::size_t clusters : {1u, 2u, 65u}) under.ask(Question(clusters), operation);
  }
  under.expect_no_faults();
}

void check_requirements(const EstimatorSubject& subject) {
  Subject under(subject);
  for (const char* requirements : kRequirements) {
    for (const bool promised : {false, true})
      under.ask(Question(2, requirements, promised), Operation::Replicas);
  }
  under.expect_no_faults();
}

void check_concurrent(const EstimatorSubject& subject) {
  Subject under(subject);
  std::vector<TestHost::Pending> pending;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    for (const Operation operation : under.operations())
      pending.push_back(under.begin(Question(3, kRequirements[i % 4]), operation));
  }
  for (TestHost::Pending& each : pending) Subject::check(each.wait(), 3);
  under.expect_no_faults();
}

void check_stop(const EstimatorSubject& subject) {
  Subject under(subject);
  std::vector<TestHost::Pending> pending;
  for (std::size_t i = 0; i < kAtOnce; ++i) pending.push_back(under.begin(Question(3), Operation::Replicas));
  const Answer stopped = under.stop();
  expect(stopped.ok(), "stop failed: " + stopped.message);
  for (TestHost::Pending& each : pending)
    expect(each.done(), "a call was still under way when stop had completed");
  under.expect_no_faults();
}

constexpr EstimatorCheck kChecks[] = {
    {"EST-TABLE", "The component is an estimator with the operations it needs.", check_table},
    {"EST-ORDER", "Every cluster of the request gets one answer; what is unknown is no error of the call.",
     check_order},
    {"EST-REPLICAS", "Requirements are understood, whatever they say, and copied when they are kept.",
     check_requirements},
    {"EST-CONCURRENT", "Questions at the same time are all answered, once each.", check_concurrent},
    {"EST-STOP", "When stop completes no call is under way.", check_stop},
};

}  // namespace

std::span<const EstimatorCheck> estimator_checks() {
  return kChecks;
}

std::string run_check(const EstimatorCheck& check, const EstimatorSubject& subject) {
  try {
    check.run(subject);
    return {};
  } catch (const std::exception& violation) {
    return violation.what();
  }
}

}  // namespace flotilla::conformance
