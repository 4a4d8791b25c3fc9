// SPDX-License-Identifier: Apache-2.0
// Job and CronJob.
#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "core/api/schema/embedded.hpp"
#include "core/api/selector.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

constexpr int kMaxCronJobName = 52;

constexpr std::int64_t kMostRules = 20, kMostPatterns = 20, kMostCodes = 255;
constexpr std::int64_t kMostParallel = 100000;

void not_too_many(const FieldView& list, std::int64_t most) {
  const auto count = static_cast<std::int64_t>(list.size());
  if (count > most) list.errors().too_many(list.path(), count, most);
}

// Required errors of failure policies say what there is to choose from.
void choose(const FieldView& field, std::initializer_list<std::string_view> words) {
  if (field.given()) {
    field.one_of(words);
    return;
  }
  std::string all;
  for (const std::string_view word : words) all += (all.empty() ? "" : " ") + go_quote(word);
  field.require("valid values: [" + all + "]");
}

void validate_exit_codes(const FieldView& codes, const FieldView& spec) {
  const FieldView values = codes["values"], name = codes["containerName"];
  choose(codes["operator"], {"In", "NotIn"});
  if (!name.value().is_null()) {
    bool found = false;
    for (const std::string_view list : {"containers", "initContainers"}) {
      for (const FieldView& one : spec["template"]["spec"][list].each())
        found = found || one["name"].value() == name.value();
    }
    if (!found) name.invalid("must be one of the container or initContainer names in the pod template");
  }
  if (!values.filled())
    values.errors().invalid(values.path(), Json::array(), "at least one value is required");
  not_too_many(values, kMostCodes);
  std::set<std::int64_t> seen;
  bool ordered = true;
  std::int64_t last = 0;
  for (const FieldView& one : values.each()) {
    if (codes["operator"].text() == "In" && one.number() == 0)
      one.invalid("must not be 0 for the In operator");
    ordered = ordered && (seen.empty() || last <= one.number());
    last = one.number();
    if (!seen.insert(one.number()).second) one.errors().duplicate(one.path(), one.value());
  }
  if (!ordered) values.invalid("must be ordered");
}

void validate_failure_rule(const FieldView& rule, const FieldView& spec) {
  const FieldView action = rule["action"], codes = rule["onExitCodes"], patterns = rule["onPodConditions"];
  const bool has_codes = codes.value().is_object(), has_conditions = patterns.filled();
  if (action.text() == "FailIndex") {
    if (spec["backoffLimitPerIndex"].value().is_null())
      action.invalid("requires the backoffLimitPerIndex to be set");
  } else {
    choose(action, {"Count", "FailJob", "Ignore"});
  }
  if (has_codes) validate_exit_codes(codes, spec);
  not_too_many(patterns, kMostPatterns);
  for (const FieldView& one : patterns.each()) {
    for (const std::string& message : check_qualified_name(one["type"].text()))
      one.errors().invalid(one["type"].path(), one["type"].text(), message);
    choose(one["status"], {"False", "True", "Unknown"});
  }
  if (has_codes == has_conditions) {
    rule.errors().add_literal(
        "FieldValueInvalid", rule.path(),
        has_codes ? "Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"
                  : "Invalid value: specifying one of OnExitCodes and OnPodConditions is required");
  }
}

void validate_indexes(const FieldView& spec) {
  const FieldView limit = spec["backoffLimitPerIndex"], most = spec["maxFailedIndexes"];
  limit.not_negative();
  most.not_negative();
  if (!most.value().is_null() && limit.value().is_null())
    limit.errors().required(limit.path(), "when maxFailedIndexes is specified");
}

void validate_completion_mode(const FieldView& spec) {
  const FieldView mode = spec["completionMode"], completions = spec["completions"],
                  parallelism = spec["parallelism"];
  const bool indexed = mode.text() == "Indexed";
  if (!mode.value().is_null()) mode.one_of({"NonIndexed", "Indexed"});
  if (indexed && completions.value().is_null())
    completions.errors().required(completions.path(), "when completion mode is Indexed");
  if (indexed && parallelism.number() > kMostParallel) {
    parallelism.invalid("must be less than or equal to " + std::to_string(kMostParallel) +
                        " when completion mode is Indexed");
  }
  const FieldView most = spec["maxFailedIndexes"];
  if (indexed && !completions.value().is_null() && most.number() > completions.number())
    most.invalid("must be less than or equal to completions");
  if (!mode.value().is_null() && mode.text() != "NonIndexed") return;
  for (const std::string_view name : {"backoffLimitPerIndex", "maxFailedIndexes"}) {
    if (!spec[name].value().is_null()) spec[name].invalid("requires indexed completion mode");
  }
}

void validate_replacement(const FieldView& spec) {
  const FieldView policy = spec["podReplacementPolicy"];
  if (policy.value().is_null()) return;
  if (spec["podFailurePolicy"].value().is_object()) {
    policy.one_of({"Failed"});
  } else {
    policy.one_of({"Failed", "TerminatingOrFailed"});
  }
}

void validate_job_spec(const FieldView& spec) {
  for (const std::string_view name :
       {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"})
    spec[name].not_negative();
  validate_indexes(spec);
  validate_completion_mode(spec);
  const FieldView policy = spec["podFailurePolicy"], rules = policy["rules"];
  not_too_many(rules, kMostRules);
  for (const FieldView& rule : rules.each()) validate_failure_rule(rule, spec);
  validate_replacement(spec);
  const FieldView pod_template = spec["template"];
  validate_pod_template(pod_template);
  const FieldView restart = pod_template["spec"]["restartPolicy"];
  if (restart.text().empty() || restart.text() == "Always") {
    restart.errors().required(restart.path(), "valid values: \"OnFailure\", \"Never\"");
  } else if (restart.text() != "OnFailure" && restart.text() != "Never") {
    restart.errors().not_supported(restart.path(), restart.value(), {"OnFailure", "Never"});
  } else if (policy.value().is_object() && restart.text() != "Never") {
    restart.invalid("only \"Never\" is supported when podFailurePolicy is specified");
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

struct CronField {
  int least, most;
  std::initializer_list<std::string_view> names;  // from `least` on
};
const CronField kCronFields[] = {
    {0, 59, {}},
    {0, 23, {}},
    {1, 31, {}},
    {1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
    {0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
};

// A number or a name; the error of what is neither.
std::string read_cron_number(std::string_view text, const CronField& field, int& into) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* const name = std::find(field.names.begin(), field.names.end(), lower);
  if (name != field.names.end()) {
    into = field.least + static_cast<int>(name - field.names.begin());
    return {};
  }
  const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return "failed to parse int from " + std::string(text) + ": strconv.Atoi: parsing " + go_quote(text) +
           ": invalid syntax";
  }
  if (into < 0) return "negative number (" + std::to_string(into) + ") not allowed: " + std::string(text);
  return {};
}

// "1-5/2", "*", "*/3": what is wrong with it; empty when nothing is.
std::string cron_range_error(std::string_view text, const CronField& field) {
  const std::string all(text);
  const std::size_t slash = text.find('/');
  const std::string_view range = text.substr(0, slash);
  const std::size_t dash = range.find('-');
  int from = field.least, to = field.most, step = 1;
  if (range != "*" && range != "?") {
    if (std::string wrong = read_cron_number(range.substr(0, dash), field, from); !wrong.empty())
      return wrong;
    to = from;
    if (dash != range.npos) {
      if (range.find('-', dash + 1) != range.npos) return "too many hyphens: " + all;
      if (std::string wrong = read_cron_number(range.substr(dash + 1), field, to); !wrong.empty())
        return wrong;
    }
  }
  if (slash != text.npos) {
    if (text.find('/', slash + 1) != text.npos) return "too many slashes: " + all;
    const CronField plain{0, field.most, {}};
    if (std::string wrong = read_cron_number(text.substr(slash + 1), plain, step); !wrong.empty())
      return wrong;
    if (dash == range.npos) to = field.most;
  }
  const auto number = [](int value) { return "(" + std::to_string(value) + ")"; };
  if (from < field.least)
    return "beginning of range " + number(from) + " below minimum " + number(field.least) + ": " + all;
  if (to > field.most)
    return "end of range " + number(to) + " above maximum " + number(field.most) + ": " + all;
  if (from > to)
    return "beginning of range " + number(from) + " beyond end of range " + number(to) + ": " + all;
  return step == 0 ? "step of range should be a positive number: " + all : std::string();
}

// As time.ParseDuration words it.
std::string go_duration_error(std::string_view text) {
  static constexpr std::string_view kUnits[] = {"ns", "us", "µs", "μs", "ms", "s", "m", "h"};
  const std::string quoted = go_quote(text);
  const std::string invalid = "time: invalid duration " + quoted;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return {};
  if (text.empty()) return invalid;
  while (!text.empty()) {
    const std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view digits = text.substr(0, number);
    if (digits.empty() || digits == "." || std::count(digits.begin(), digits.end(), '.') > 1) return invalid;
    text.remove_prefix(number);
    const std::size_t end = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, end);
    if (unit.empty()) return "time: missing unit in duration " + quoted;
    if (std::find(std::begin(kUnits), std::end(kUnits), unit) == std::end(kUnits))
      return "time: unknown unit " + go_quote(unit) + " in duration " + quoted;
    text.remove_prefix(end);
  }
  return {};
}

std::string schedule_error(const std::vector<std::string>& fields) {
  if (fields.size() == 1 && fields.front().starts_with('@')) {
    static constexpr std::string_view kKnown[] = {"@yearly", "@annually", "@monthly", "@weekly",
                                                  "@daily",  "@midnight", "@hourly"};
    const bool known = std::find(std::begin(kKnown), std::end(kKnown), fields.front()) != std::end(kKnown);
    return known ? std::string() : "unrecognized descriptor: " + fields.front();
  }
  std::string joined;
  for (const std::string& one : fields) joined += (joined.empty() ? "" : " ") + one;
  if (joined.starts_with("@every ")) {
    const std::string duration = joined.substr(std::string_view("@every ").size());
    const std::string problem = go_duration_error(duration);
    return problem.empty() ? problem : "failed to parse duration " + joined + ": " + problem;
  }
  if (joined.starts_with('@')) return "unrecognized descriptor: " + joined;
  if (fields.size() != std::size(kCronFields))
    return "expected exactly 5 fields, found " + std::to_string(fields.size()) + ": [" + joined + "]";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    std::string_view rest = fields[i];
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (std::string wrong = cron_range_error(rest.substr(0, comma), kCronFields[i]); !wrong.empty())
        return wrong;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return {};
}

void validate_zone(const FieldView& zone) {
  if (zone.value().is_null()) return;
  const std::string name(zone.text());
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name.empty()) {
    zone.errors().invalid(zone.path(), "", "timeZone must be nil or non-empty string");
  } else if (lower == "local") {
    zone.invalid("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  } else if (embedded::time_zones().find("\n" + name + "\n") == std::string_view::npos) {
    zone.invalid("unknown time zone " + name);
  }
}

void validate_schedule(const FieldView& schedule, bool with_zone) {
  if (!schedule.require()) return;
  const std::string wrong = schedule_error(cron_fields(schedule.text()));
  if (!wrong.empty()) schedule.invalid(wrong);
  const bool own_zone = schedule.text().find("TZ") != std::string_view::npos;
  if (own_zone && with_zone) schedule.invalid("cannot use both timeZone field and TZ or CRON_TZ in schedule");
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

namespace {

// An indexed job's pods have the index in their names.
void validate_pod_names(const Subject& subject) {
  const FieldView spec = subject.spec(), name = subject.object["metadata"]["name"];
  const std::int64_t completions = spec["completions"].number();
  if (spec["completionMode"].text() != "Indexed" || completions <= 0) return;
  const std::string last = std::string(name.text()) + "-" + std::to_string(completions - 1);
  if (!check_dns_label(last).empty())
    name.invalid("will not able to create pod with invalid DNS label: " + last);
}

// A suspended job that never ran may be told where its pods go.
Json with_scheduling_of(Json pod_template, const Json& now) {
  const auto take = [&](std::initializer_list<std::string_view> parents, std::string_view name) {
    const Json& value = now.at(parents)[name];
    if (value.is_null()) {
      if (Json* parent = pod_template.find(*parents.begin())) parent->erase(name);
    } else {
      pod_template.make({*parents.begin()}).set(name, value);
    }
  };
  for (const std::string_view name : {"nodeSelector", "tolerations", "schedulingGates"}) take({"spec"}, name);
  for (const std::string_view name : {"annotations", "labels"}) take({"metadata"}, name);
  const Json& affinity = now["spec"]["affinity"]["nodeAffinity"];
  if (!affinity.is_null()) {
    pod_template.make({"spec", "affinity"}).set("nodeAffinity", affinity);
  } else if (Json* mine = pod_template["spec"].find("affinity")) {
    mine->erase("nodeAffinity");
    if (std::as_const(*mine).empty() && now["spec"]["affinity"].is_null())
      pod_template["spec"].erase("affinity");
  }
  return pod_template;
}

}  // namespace

void job(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView selector = spec["selector"], pod_template = spec["template"];
  if (!spec["manualSelector"].value().as_bool() && !selector.value().is_null())
    validate_generated_selector(subject);
  validate_job(spec);
  validate_pod_names(subject);
  if (subject.creates()) return;
  // Kubernetes looks twice on update, and clients see the causes twice.
  validate_job(spec);
  const Json& before = subject.live["spec"];
  spec["completions"].immutable(before["completions"]);
  selector.immutable(before["selector"]);
  const bool startable = before["suspend"].as_bool() && subject.live.at({"status", "startTime"}).is_null();
  pod_template.immutable(startable ? with_scheduling_of(before["template"], pod_template.value())
                                   : before["template"]);
  spec["completionMode"].immutable(before["completionMode"]);
  spec["podFailurePolicy"].immutable(before["podFailurePolicy"]);
  spec["backoffLimitPerIndex"].immutable(before["backoffLimitPerIndex"]);
}

void cron_job(const Subject& subject) {
  const FieldView spec = subject.spec(), zone = spec["timeZone"], job_spec = spec["jobTemplate"]["spec"];
  validate_schedule(spec["schedule"], !zone.value().is_null());
  spec["startingDeadlineSeconds"].not_negative();
  if (subject.creates() || !(zone.value() == subject.live["spec"]["timeZone"])) validate_zone(zone);
  spec["concurrencyPolicy"].required_one_of({"Allow", "Forbid", "Replace"});
  validate_job_spec(job_spec);
  if (!job_spec["selector"].value().is_null())
    job_spec["selector"].invalid("`selector` will be auto-generated");
  const FieldView manual = job_spec["manualSelector"];
  if (manual.value().as_bool()) manual.errors().not_supported(manual.path(), true, {"nil", "false"});
  spec["successfulJobsHistoryLimit"].not_negative();
  spec["failedJobsHistoryLimit"].not_negative();
  const FieldView name = subject.object["metadata"]["name"];
  if (subject.creates() && name.text().size() > kMaxCronJobName)
    name.invalid("must be no more than 52 characters");
}

}  // namespace flotilla::api::validation
