// SPDX-License-Identifier: Apache-2.0
// FlowSchema, PriorityLevelConfiguration.
#include <algorithm>
#include <cmath>

#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kVerbs[] = {"create", "delete", "deletecollection", "get",  "list",
                                       "patch",  "proxy",  "update",           "watch"};

void must_be_positive(const FieldView& number) {
  if (number.number() <= 0) number.errors().invalid(number.path(), number.number(), "must be positive");
}

void bad_list(const FieldView& list, const std::string& detail) {
  list.errors().add_literal("FieldValueInvalid", list.path(),
                            "Invalid value: " + go_strings(list.value()) + ": " + detail);
}

bool has_star(const FieldView& list) {
  const auto all = list.value().elements();
  return std::any_of(all.begin(), all.end(), [](const Json& one) { return one.as_string() == "*"; });
}

// True when single elements are worth a look.
bool validate_alone(const FieldView& list, std::string_view missing, const std::string& others) {
  if (!list.filled()) {
    list.errors().required(list.path(), missing);
    return false;
  }
  if (!has_star(list)) return true;
  if (list.size() > 1) bad_list(list, "if '*' is present, must not specify other " + others);
  return false;
}

void validate_verbs(const FieldView& verbs) {
  if (!validate_alone(verbs, "verbs must contain at least one value", "verbs")) return;
  const auto all = verbs.value().elements();
  const bool known = std::all_of(all.begin(), all.end(), [](const Json& one) {
    return std::find(std::begin(kVerbs), std::end(kVerbs), one.as_string()) != std::end(kVerbs);
  });
  if (known) return;
  std::string supported;
  for (const std::string_view verb : kVerbs) supported += (supported.empty() ? "" : ", ") + go_quote(verb);
  verbs.errors().add_literal(
      "FieldValueNotSupported", verbs.path(),
      "Unsupported value: " + go_strings(verbs.value()) + ": supported values: " + supported);
}

void validate_url(const FieldView& url) {
  const std::string_view path = url.text();
  const auto stars = std::count(path.begin(), path.end(), '*');
  if (path.empty()) {
    url.errors().invalid(url.path(), "", "must not be empty");
  } else if (path == "/") {
    return;
  } else if (!path.starts_with('/')) {
    url.invalid("must start with slash");
  } else if (path.find(' ') != path.npos) {
    url.invalid("must not contain white-space");
  } else if (path.find("//") != path.npos) {
    url.invalid("must not contain double slash");
  } else if (stars > 1 || (stars == 1 && !path.ends_with("/*"))) {
    url.invalid("wildcard can only do suffix matching");
  }
}

void validate_resource_rule(const FieldView& rule) {
  validate_verbs(rule["verbs"]);
  validate_alone(rule["apiGroups"], "resource rules must supply at least one api group", "api groups");
  validate_alone(rule["resources"], "resource rules must supply at least one resource", "resources");
  const FieldView namespaces = rule["namespaces"];
  if (!namespaces.filled() && rule["clusterScope"].value().as_bool()) return;
  if (!validate_alone(namespaces,
                      "resource rules that are not cluster scoped must supply at least one namespace",
                      "namespaces")) {
    return;
  }
  for (const FieldView& one : namespaces.each()) {
    for (const std::string& message : check_dns_label(one.text()))
      one.invalid("each member of this list must be '*' or a DNS-1123 label; " + message);
  }
}

void validate_url_rule(const FieldView& rule) {
  validate_verbs(rule["verbs"]);
  const FieldView urls = rule["nonResourceURLs"];
  if (!validate_alone(urls, "nonResourceURLs must contain at least one value", "non-resource URLs")) return;
  for (const FieldView& one : urls.each()) validate_url(one);
}

struct SubjectKind {
  std::string_view kind, field;
};
constexpr SubjectKind kSubjects[] = {
    {"ServiceAccount", "serviceAccount"}, {"User", "user"}, {"Group", "group"}};

void validate_account(const FieldView& account) {
  const FieldView name = account["name"], ns = account["namespace"];
  if (name.require() && name.text() != "*") name.dns_subdomain();
  if (ns.require("must specify namespace for service account")) ns.dns_label();
}

void validate_flow_subject(const FieldView& subject) {
  const std::string_view kind = subject["kind"].text();
  const auto* const own = std::find_if(std::begin(kSubjects), std::end(kSubjects),
                                       [&](const SubjectKind& one) { return one.kind == kind; });
  if (own == std::end(kSubjects)) {
    subject["kind"].one_of({"Group", "ServiceAccount", "User"});
    return;
  }
  const FieldView field = subject[own->field];
  if (!field.value().is_object()) {
    field.errors().required(field.path(), std::string(own->field) + " is required when subject kind is '" +
                                              std::string(kind) + "'");
  } else if (kind == "ServiceAccount") {
    validate_account(field);
  } else {
    field["name"].require();
  }
  for (const SubjectKind& other : kSubjects) {
    if (other.kind == kind || subject[other.field].value().is_null()) continue;
    subject[other.field].forbid(std::string(other.field) + " is forbidden when subject kind is not '" +
                                std::string(other.kind) + "'");
  }
}

void validate_flow_rule(const FieldView& rule) {
  const FieldView subjects = rule["subjects"];
  if (!subjects.filled())
    subjects.errors().required(subjects.path(), "subjects must contain at least one value");
  for (const FieldView& one : subjects.each()) validate_flow_subject(one);
  if (!rule["resourceRules"].filled() && !rule["nonResourceRules"].filled()) {
    rule.errors().required(rule.path(),
                           "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  for (const FieldView& one : rule["resourceRules"].each()) validate_resource_rule(one);
  for (const FieldView& one : rule["nonResourceRules"].each()) validate_url_rule(one);
}

// Bits that dealing a hand from a deck of queues needs.
int entropy_bits(std::int64_t queues, std::int64_t hand) {
  if (queues < 2) return 0;
  return static_cast<int>(std::ceil(std::log2(static_cast<double>(queues)) * static_cast<double>(hand)));
}

void validate_queuing(const FieldView& queuing) {
  constexpr std::int64_t kMostQueues = 10'000'000;
  constexpr int kMostBits = 60;
  const FieldView queues = queuing["queues"], hand = queuing["handSize"];
  must_be_positive(queuing["queueLengthLimit"]);
  must_be_positive(queues);
  if (queues.number() > kMostQueues)
    queues.invalid("must not be greater than " + std::to_string(kMostQueues));
  must_be_positive(hand);
  if (hand.number() <= 0) return;
  if (hand.number() > queues.number()) {
    hand.invalid("should not be greater than queues (" + std::to_string(queues.number()) + ")");
  } else if (entropy_bits(queues.number(), hand.number()) > kMostBits) {
    hand.invalid("required entropy bits of deckSize " + std::to_string(queues.number()) + " and handSize " +
                 std::to_string(hand.number()) + " should not be greater than " + std::to_string(kMostBits));
  }
}

void validate_limited(const FieldView& limited) {
  const FieldView response = limited["limitResponse"], queuing = response["queuing"];
  must_be_positive(
      limited[limited.value().contains("assuredConcurrencyShares") ? "assuredConcurrencyShares"
                                                                   : "nominalConcurrencyShares"]);
  const std::string_view type = response["type"].text();
  if (type == "Reject") {
    if (!queuing.value().is_null())
      queuing.forbid("must be nil if limited.limitResponse.type is not Limited");
  } else if (type == "Queue") {
    if (queuing.value().is_null()) {
      queuing.errors().required(queuing.path(), "must not be empty if limited.limitResponse.type is Limited");
    } else {
      validate_queuing(queuing);
    }
  } else {
    response["type"].errors().not_supported(response["type"].path(), type, {"Queue", "Reject"});
  }
  const FieldView lendable = limited["lendablePercent"], borrowing = limited["borrowingLimitPercent"];
  if (!lendable.value().is_null() && (lendable.number() < 0 || lendable.number() > 100))
    lendable.invalid("must be between 0 and 100, inclusive");
  if (!borrowing.value().is_null() && borrowing.number() < 0)
    borrowing.invalid("if specified, must be a non-negative integer");
}

}  // namespace

void flow_schema(const Subject& subject) {
  const FieldView spec = subject.spec(), precedence = spec["matchingPrecedence"];
  FieldErrors& errors = spec.errors();
  if (precedence.number() <= 0)
    errors.invalid(precedence.path(), precedence.number(), "must be a positive value");
  if (precedence.number() > 10000) precedence.invalid("must not be greater than 10000");
  if (precedence.number() == 1 && subject.object["metadata"]["name"].text() != "exempt")
    precedence.invalid("only the schema named 'exempt' may have matchingPrecedence 1");
  const FieldView method = spec["distinguisherMethod"], type = method["type"];
  if (method.value().is_object() && type.text() != "ByUser" && type.text() != "ByNamespace") {
    errors.add_literal("FieldValueNotSupported", type.path(),
                       "Unsupported value: flowcontrol.FlowDistinguisherMethod{Type:" +
                           go_quote(type.text()) + "}: supported values: \"ByNamespace\", \"ByUser\"");
  }
  const FieldView level = spec["priorityLevelConfiguration"]["name"];
  if (!level.given()) {
    errors.required(level.path(), "must reference a priority level");
  } else {
    level.dns_subdomain();
  }
  for (const FieldView& rule : spec["rules"].each()) validate_flow_rule(rule);
}

void priority_level(const Subject& subject) {
  const FieldView spec = subject.spec();
  const bool exempt_name = subject.object["metadata"]["name"].text() == "exempt";
  const FieldView type = spec["type"], limited = spec["limited"];
  if ((type.text() == "Exempt") != exempt_name)
    type.invalid("type must be 'Exempt' if and only if name is 'exempt'");
  if (type.text() == "Exempt") {
    if (!limited.value().is_null()) limited.forbid("must be nil if the type is not Limited");
  } else if (type.text() == "Limited") {
    if (limited.value().is_null()) {
      limited.errors().required(limited.path(), "must not be empty when type is Limited");
    } else {
      validate_limited(limited);
    }
  } else {
    type.one_of({"Exempt", "Limited"});
  }
}

}  // namespace flotilla::api::validation
