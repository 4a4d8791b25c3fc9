// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/customization_document.hpp"

#include <array>
#include <optional>

#include "core/api/object.hpp"
#include "core/interpreter/customization.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;
using interpreter::Operation;

constexpr std::string_view kMark = "---@";
constexpr std::string_view kComment = "--";
constexpr std::string_view kDocumented = "--| ";

struct Rule {
  Operation operation;
  std::string_view says;  // one line per line
};

// In Karmada's order.
constexpr std::array<Rule, interpreter::kOperations> kRules = {{
    {Operation::Retain,
     "What of the member's object stays as the member has it.\n"
     "function Retain(desiredObj, observedObj) return desiredObj end"},
    {Operation::InterpretReplica,
     "How many replicas are asked for, and what each needs of a cluster (or nil).\n"
     "function GetReplicas(obj) return replicas, requirements end"},
    {Operation::InterpretComponent,
     "The components of a workload of several: a list of {name, replicas, replicaRequirements}.\n"
     "function GetComponents(obj) return components end"},
    {Operation::ReviseReplica,
     "The object that asks for so many replicas.\n"
     "function ReviseReplica(obj, desiredReplica) return obj end"},
    {Operation::InterpretStatus,
     "What of the member's status is reported.\n"
     "function ReflectStatus(observedObj) return status end"},
    {Operation::AggregateStatus,
     "The template with the status of all members put together; items have clusterName, status, health.\n"
     "function AggregateStatus(desiredObj, statusItems) return desiredObj end"},
    {Operation::InterpretHealth,
     "Whether the member's object is healthy.\n"
     "function InterpretHealth(observedObj) return healthy end"},
    {Operation::InterpretDependency,
     "What else has to go along: a list of {apiVersion, kind, namespace, name or labelSelector}.\n"
     "function GetDependencies(desiredObj) return dependencies end"},
}};

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

// The next line without its end; `text` keeps the rest.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// What stands behind "---@name:".
std::optional<std::string_view> marked(std::string_view line, std::string_view mark) {
  if (!line.starts_with(kMark)) return std::nullopt;
  line.remove_prefix(kMark.size());
  if (!line.starts_with(mark) || !line.substr(mark.size()).starts_with(':')) return std::nullopt;
  return trimmed(line.substr(mark.size() + 1));
}

const Rule* find_rule(std::string_view name) {
  for (const Rule& rule : kRules) {
    if (to_string(rule.operation) == name) return &rule;
  }
  return nullptr;
}

// Without the empty lines at its ends.
std::string_view script_in(std::string_view text) {
  while (text.starts_with('\n')) text.remove_prefix(1);
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

void set_script(Json& customizations, const Json& before, Operation operation, std::string_view text) {
  const std::string_view member = interpreter::member_of(operation);
  const std::string_view script = script_in(text);
  if (trimmed(script).empty()) return;
  const std::string_view kept = before.at({"spec", "customizations", member, "luaScript"}).as_string();
  customizations.make({member}).set(
      "luaScript", script_in(kept) == script ? std::string(kept) : std::string(script) + "\n");
}

}  // namespace

std::string commented(const std::vector<std::string>& texts) {
  std::string comment;
  for (const std::string& text : texts) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view line = take_line(rest);
      comment.append(kComment).append(line.empty() ? "" : " ").append(line).append("\n");
    }
  }
  return comment;
}

std::string customization_document(const Json& customization, bool document) {
  std::string text;
  const auto mark = [&](std::string_view name, std::string_view value) {
    text.append(kMark).append(name).append(": ").append(value).append("\n");
  };
  const Json& spec = customization["spec"];
  mark("name", api::name_of(customization));
  mark("apiVersion", spec.at({"target", "apiVersion"}).as_string());
  mark("kind", spec.at({"target", "kind"}).as_string());
  for (const Rule& rule : kRules) {
    mark("rule", to_string(rule.operation));
    for (std::string_view rest = document ? rule.says : std::string_view(); !rest.empty();)
      text.append(kDocumented).append(take_line(rest)).append("\n");
    const std::string_view script =
        spec.at({"customizations", interpreter::member_of(rule.operation), "luaScript"}).as_string();
    if (script.empty()) continue;
    text.append(script);
    if (!script.ends_with('\n')) text.append("\n");
  }
  return text;
}

Result<Json> edited_customization(const Json& customization, std::string_view text) {
  Json edited = customization;
  Json customizations = Json::object({});
  const Rule* current = nullptr;
  std::string script;
  const auto close = [&] {
    if (current != nullptr) set_script(customizations, customization, current->operation, script);
    script.clear();
  };
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    const std::string_view plain = trimmed(line);
    const auto wrong = [&](std::string_view what) {
      return Error(Code::Invalid, "line " + std::to_string(number) + ": " + std::string(what) + " \"" +
                                      std::string(plain) + "\"");
    };
    if (const auto name = marked(plain, "name")) {
      edited.make({"metadata"}).set("name", std::string(*name));
    } else if (const auto version = marked(plain, "apiVersion")) {
      edited.make({"spec", "target"}).set("apiVersion", std::string(*version));
    } else if (const auto kind = marked(plain, "kind")) {
      edited.make({"spec", "target"}).set("kind", std::string(*kind));
    } else if (const auto rule = marked(plain, "rule")) {
      close();
      current = find_rule(*rule);
      if (current == nullptr) return wrong("no such rule:");
    } else if (current == nullptr && !plain.empty() && !plain.starts_with(kComment)) {
      return wrong("unexpected line");
    } else if (current != nullptr && !plain.starts_with(kDocumented)) {
      script.append(line).append("\n");
    }
  }
  close();
  edited.make({"spec"}).set("customizations", std::move(customizations));
  return edited;
}

std::string_view without_head(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view from = rest;
    const std::string_view plain = trimmed(take_line(rest));
    if (!plain.empty() && (plain.starts_with(kMark) || !plain.starts_with(kComment))) return from;
  }
  return {};
}

}  // namespace flotilla::ctl
