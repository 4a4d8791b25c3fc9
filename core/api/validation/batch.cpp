// SPDX-License-Identifier: Apache-2.0
// Job and CronJob.
#include <algorithm>
#include <vector>

#include "core/api/selector.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

constexpr int kMaxCronJobName = 52;

void validate_failure_rule(const FieldView& rule, const FieldView& spec) {
  rule["action"].required_one_of({"Count", "FailJob", "Ignore"});
  const FieldView codes = rule["onExitCodes"];
  const bool has_codes = codes.value().is_object(), has_conditions = rule["onPodConditions"].filled();
  if (has_codes) {
    codes["operator"].required_one_of({"In", "NotIn"});
    std::size_t index = 0;
    for (const FieldView& one : codes["values"].each()) {
      if (codes["operator"].text() == "In" && one.number() == 0)
        one.invalid("must not be 0 for the In operator");
      if (index > 0 && one.number() <= codes["values"].element(index - 1).number()) {
        codes["values"].errors().invalid(codes["values"].path(), codes["values"].value(),
                                         one.number() == codes["values"].element(index - 1).number()
                                             ? "must be unique"
                                             : "must be ordered");
      }
      ++index;
    }
    if (!codes["values"].filled())
      codes["values"].errors().invalid(codes["values"].path(), Json::array(),
                                       "at least one value is required");
    if (codes["containerName"].given()) {
      bool found = false;
      for (const std::string_view list : {"containers", "initContainers"}) {
        for (const FieldView& one : spec["template"]["spec"][list].each())
          found = found || one["name"].value() == codes["containerName"].value();
      }
      if (!found)
        codes["containerName"].invalid(
            "must be one of the container or initContainer names in the pod template");
    }
  }
  if (!has_codes && !has_conditions) {
    rule.errors().add_literal("FieldValueInvalid", rule.path(),
                              "Invalid value: specifying one of OnExitCodes and OnPodConditions is required");
  }
  if (has_codes && has_conditions) {
    rule.errors().add_literal(
        "FieldValueInvalid", rule.path(),
        "Invalid value: specifying both OnExitCodes and OnPodConditions is not supported");
  }
}

void validate_job_spec(const FieldView& spec) {
  for (const std::string_view name :
       {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"})
    spec[name].not_negative();
  const FieldView mode = spec["completionMode"];
  if (mode.given()) {
    if (mode.one_of({"NonIndexed", "Indexed"}) && mode.text() == "Indexed" &&
        spec["completions"].value().is_null()) {
      spec["completions"].errors().required(spec["completions"].path(), "when completion mode is Indexed");
    }
  }
  const FieldView policy = spec["podFailurePolicy"];
  for (const FieldView& rule : policy["rules"].each()) validate_failure_rule(rule, spec);
  const FieldView pod_template = spec["template"];
  validate_pod_template(pod_template);
  const FieldView restart = pod_template["spec"]["restartPolicy"];
  if (policy.value().is_object() && restart.text() != "Never") {
    restart.invalid("only \"Never\" is supported when podFailurePolicy is specified");
  }
  if (restart.text().empty() || restart.text() == "Always") {
    restart.errors().required(restart.path(), "valid values: \"OnFailure\", \"Never\"");
  } else if (restart.text() != "OnFailure" && restart.text() != "Never") {
    restart.errors().not_supported(restart.path(), restart.value(), {"OnFailure", "Never"});
  }
}

// The fields of a cron line, without CRON_TZ=... in front.
std::vector<std::string> cron_fields(std::string_view schedule) {
  std::vector<std::string> fields;
  std::string field;
  for (const char c : schedule) {
    if (c != ' ' && c != '\t') {
      field += c;
    } else if (!field.empty()) {
      fields.push_back(std::move(field));
      field.clear();
    }
  }
  if (!field.empty()) fields.push_back(std::move(field));
  if (!fields.empty() && (fields.front().starts_with("TZ=") || fields.front().starts_with("CRON_TZ=")))
    fields.erase(fields.begin());
  return fields;
}

void validate_schedule(const FieldView& schedule, bool with_zone) {
  if (!schedule.require()) return;
  const std::string_view text = schedule.text();
  const bool own_zone = text.find("TZ=") != text.npos;
  if (own_zone && with_zone) schedule.invalid("cannot use both timeZone field and TZ or CRON_TZ in schedule");
  const auto fields = cron_fields(text);
  if (fields.size() == 1 && fields.front().starts_with('@')) return;
  if (fields.size() == 5) return;
  std::string joined;
  for (const std::string& one : fields) joined += (joined.empty() ? "" : " ") + one;
  schedule.invalid("expected exactly 5 fields, found " + std::to_string(fields.size()) + ": [" + joined +
                   "]");
}

}  // namespace

namespace {

// The generated labels must be those of this very job.
void validate_generated_selector(const Subject& subject) {
  const FieldView spec = subject.spec(), metadata = subject.object["metadata"], selector = spec["selector"];
  const Json& labels = spec["template"]["metadata"]["labels"].value();
  const std::string path = spec["template"]["metadata"]["labels"].path();
  const auto expect = [&](std::string_view key, const Json& value) {
    if (!labels.contains(key)) {
      spec.errors().required(at_key(path, key), "must be '" + std::string(value.as_string()) + "'");
    } else if (!(labels[key] == value)) {
      spec.errors().invalid(at_key(path, key), labels, "must be '" + std::string(value.as_string()) + "'");
    }
  };
  expect("controller-uid", metadata["uid"].value());
  expect("job-name", metadata["name"].value());
  const Json expected =
      Json::object({{"controller-uid", metadata["uid"].value()}, {"job-name", metadata["name"].value()}});
  auto compiled = LabelSelector::from_json(selector.value());
  if (compiled && !compiled->matches(expected))
    selector.errors().invalid(selector.path(), selector.value(), "`selector` not auto-generated");
}

void validate_job(const FieldView& spec) {
  validate_job_spec(spec);
  const FieldView selector = spec["selector"];
  if (selector.value().is_null()) {
    selector.errors().required(selector.path());
  } else {
    validate_label_selector(selector);
  }
  const Json& labels = spec["template"]["metadata"]["labels"].value();
  if (auto compiled = LabelSelector::from_json(selector.value()); compiled && !compiled->matches(labels)) {
    spec.errors().invalid(at_field(spec["template"].path(), "metadata.labels"), labels,
                          "`selector` does not match template `labels`");
  }
}

}  // namespace

void job(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView selector = spec["selector"];
  if (!spec["manualSelector"].value().as_bool() && !selector.value().is_null())
    validate_generated_selector(subject);
  validate_job(spec);
  if (subject.creates()) return;
  // Kubernetes looks twice on update, and clients see the causes twice.
  validate_job(spec);
  const Json& before = subject.live["spec"];
  spec["completions"].immutable(before["completions"]);
  selector.immutable(before["selector"]);
  const bool startable = before["suspend"].as_bool() && subject.live.at({"status", "startTime"}).is_null();
  if (!startable) spec["template"].immutable(before["template"]);
  spec["completionMode"].immutable(before["completionMode"]);
  spec["podFailurePolicy"].immutable(before["podFailurePolicy"]);
}

void cron_job(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView zone = spec["timeZone"];
  validate_schedule(spec["schedule"], zone.given());
  if (zone.given() && zone.text() == "Local") {
    zone.invalid("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  }
  spec["startingDeadlineSeconds"].not_negative();
  spec["concurrencyPolicy"].required_one_of({"Allow", "Forbid", "Replace"});
  spec["successfulJobsHistoryLimit"].not_negative();
  spec["failedJobsHistoryLimit"].not_negative();
  validate_job_spec(spec["jobTemplate"]["spec"]);
  const FieldView name = subject.object["metadata"]["name"];
  if (name.text().size() > kMaxCronJobName) name.invalid("must be no more than 52 characters");
}

}  // namespace flotilla::api::validation
