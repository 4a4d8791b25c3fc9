// SPDX-License-Identifier: Apache-2.0
#include "core/cel/authorization.hpp"

#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

constexpr std::uint64_t kCheckCost = 350'000;  // two checks per expression
constexpr std::string_view kPrefix = "kubernetes.authorization.";

// The authorizer and the questions that grow from it.
class Question final : public Opaque {
 public:
  Question(std::string_view type, std::shared_ptr<const AccessSource> source, AccessQuery query)
      : type_(std::string(kPrefix) + std::string(type)), source(std::move(source)), query(std::move(query)) {}
  std::string_view type_name() const override { return type_; }
  bool equals(const Opaque& other) const override { return this == &other; }

 private:
  std::string type_;

 public:
  std::shared_ptr<const AccessSource> source;
  AccessQuery query;
};

class Answer final : public Opaque {
 public:
  explicit Answer(AccessDecision decision) : decision(std::move(decision)) {}
  std::string_view type_name() const override { return "kubernetes.authorization.Decision"; }
  bool equals(const Opaque& other) const override { return this == &other; }

  AccessDecision decision;
};

const Question& question(const Value& value) {
  return *static_cast<const Question*>(value.as_opaque());
}
const AccessDecision& decision(const Value& value) {
  return static_cast<const Answer*>(value.as_opaque())->decision;
}

// The same question with one more word.
template <typename Change>
Value refined(const Arguments& in, std::string_view type, Change change) {
  AccessQuery query = question(in[0]).query;
  change(query);
  return Value::opaque(std::make_shared<Question>(type, question(in[0]).source, std::move(query)));
}

Result<Value> path(const Arguments& in) {
  if (in[1].as_string().empty()) return evaluation_error("path must not be empty");
  return refined(in, "PathCheck", [&](AccessQuery& query) {
    query.is_resource = false;
    query.path = in[1].as_string();
  });
}
Result<Value> group(const Arguments& in) {
  return refined(in, "GroupCheck", [&](AccessQuery& query) { query.group = in[1].as_string(); });
}
Result<Value> service_account(const Arguments& in) {
  return refined(in, "Authorizer", [&](AccessQuery& query) {
    query.account_ns = in[1].as_string();
    query.account_name = in[2].as_string();
  });
}
Result<Value> resource(const Arguments& in) {
  return refined(in, "ResourceCheck", [&](AccessQuery& query) { query.resource = in[1].as_string(); });
}
Result<Value> subresource(const Arguments& in) {
  return refined(in, "ResourceCheck", [&](AccessQuery& query) { query.subresource = in[1].as_string(); });
}
Result<Value> in_namespace(const Arguments& in) {
  return refined(in, "ResourceCheck", [&](AccessQuery& query) { query.ns = in[1].as_string(); });
}
Result<Value> name(const Arguments& in) {
  return refined(in, "ResourceCheck", [&](AccessQuery& query) { query.name = in[1].as_string(); });
}
// Selectors narrow lists; a check without them asks for more, never for less.
Result<Value> selector(const Arguments& in) {
  return in[0];
}

Result<Value> check(const Arguments& in) {
  AccessQuery query = question(in[0]).query;
  query.verb = in[1].as_string();
  return Value::opaque(std::make_shared<Answer>(question(in[0]).source->check(query)));
}

Result<Value> allowed(const Arguments& in) {
  return Value::boolean(decision(in[0]).allowed);
}
Result<Value> reason(const Arguments& in) {
  return Value::string(decision(in[0]).reason);
}
Result<Value> errored(const Arguments& in) {
  return Value::boolean(!decision(in[0]).error.empty());
}
Result<Value> error(const Arguments& in) {
  return Value::string(decision(in[0]).error);
}

std::uint64_t cost_of_check(std::span<const Value>, const Value&) {
  return kCheckCost;
}

std::uint64_t cost_of_selector(std::span<const Value> in, const Value&) {
  const std::uint64_t size = in[1].cost_size();
  return 10 + (size + 1) / 2 * 50 + traversal(static_cast<double>(size));
}

constexpr FunctionRow kRows[] = {
    {"Authorizer.path(string): PathCheck", path},
    {"Authorizer.group(string): GroupCheck", group},
    {"Authorizer.serviceAccount(string, string): Authorizer", service_account},
    {"PathCheck.check(string): Decision", check, cost_of_check},
    {"GroupCheck.resource(string): ResourceCheck", resource},
    {"ResourceCheck.subresource(string): ResourceCheck", subresource},
    {"ResourceCheck.namespace(string): ResourceCheck", in_namespace},
    {"ResourceCheck.name(string): ResourceCheck", name},
    {"ResourceCheck.fieldSelector(string): ResourceCheck", selector, cost_of_selector},
    {"ResourceCheck.labelSelector(string): ResourceCheck", selector, cost_of_selector},
    {"ResourceCheck.check(string): Decision", check, cost_of_check},
    {"Decision.allowed(): bool", allowed},
    {"Decision.reason(): string", reason},
    {"Decision.errored(): bool", errored},
    {"Decision.error(): string", error},
};

}  // namespace

Value authorizer_value(std::shared_ptr<const AccessSource> source) {
  return Value::opaque(std::make_shared<Question>("Authorizer", std::move(source), AccessQuery{}));
}

Value resource_check_value(std::shared_ptr<const AccessSource> source, AccessQuery query) {
  return Value::opaque(std::make_shared<Question>("ResourceCheck", std::move(source), std::move(query)));
}

const TypePtr& resource_check_type() {
  static const TypePtr type = Type::opaque(std::string(kPrefix) + "ResourceCheck");
  return type;
}

std::span<const FunctionRow> authorization_rows() {
  return kRows;
}

}  // namespace flotilla::cel
