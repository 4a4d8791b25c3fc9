// SPDX-License-Identifier: Apache-2.0
// A plan as people read it: what is asked, template by template what comes of it, what stands in the way.
#include <fmt/format.h>

#include "core/ctl/paint.hpp"
#include "core/ctl/plan_command.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct Mark {
  const char* sign;
  Colour colour;
};

Mark mark_of(std::string_view action) {
  if (action == "create") return {"+", Colour::Green};
  if (action == "delete") return {"-", Colour::Red};
  if (action == "update") return {"~", Colour::Yellow};
  return {" ", Colour::Dim};
}

std::string name_of_entry(const Json& entry) {
  const std::string ns(entry["namespace"].as_string());
  return fmt::format("{} {}{}{}", entry["kind"].as_string(), ns, ns.empty() ? "" : "/",
                     entry["name"].as_string());
}

void print_fields(const Json& fields, int indent) {
  for (const Json& field : fields.elements()) {
    const Json* before = field.find("before");
    const Json* after = field.find("after");
    std::string change;
    if (before != nullptr && after != nullptr) {
      change = fmt::format("{} → {}", on_one_line(*before), on_one_line(*after));
    } else if (after != nullptr) {
      change = fmt::format("{} {}", paint(Colour::Green, "+"), on_one_line(*after));
    } else if (before != nullptr) {
      change = fmt::format("{} {}", paint(Colour::Red, "-"), on_one_line(*before));
    }
    fmt::print("{:{}}{}: {}\n", "", indent, field["path"].as_string(), change);
  }
}

void print_changes(const Json& plan) {
  fmt::print("{}\n", paint(Colour::Bold, "Asked for"));
  for (const Json& change : plan["changes"].elements()) {
    const std::string_view action = change["action"].as_string();
    const Mark mark = mark_of(action);
    fmt::print("  {} {} ({})\n", paint(mark.colour, mark.sign), name_of_entry(change), action);
    print_fields(change["fields"], 6);
  }
}

std::string replicas_text(const Json& moves, std::string_view cluster) {
  for (const Json& move : moves.elements()) {
    if (move["cluster"].as_string() != cluster) continue;
    const std::int64_t before = move["before"].as_int(), after = move["after"].as_int();
    if (before == 0 && after == 0) return {};
    return fmt::format("{} → {} replicas", before, after);
  }
  return {};
}

void print_template(const Json& entry) {
  fmt::print("\n{}\n", paint(Colour::Bold, name_of_entry(entry)));
  if (const Json& policy = entry["policy"]; policy.is_object()) {
    const std::string before(policy["before"].as_string("none")), after(policy["after"].as_string("none"));
    fmt::print("  policy: {}\n", before == after ? after : before + " → " + after);
  }
  if (const Json& condition = entry["condition"]; condition.is_object()) {
    const bool good = condition["status"].as_string() == "True";
    fmt::print("  {}: {} ({}) {}\n", condition["type"].as_string(),
               paint(good ? Colour::Green : Colour::Red, condition["status"].as_string()),
               condition["reason"].as_string(), condition["message"].as_string());
  }
  for (const Json& cluster : entry["clusters"].elements()) {
    const std::string_view action = cluster["action"].as_string();
    const Mark mark = mark_of(action);
    std::string line =
        fmt::format("  {} {} {}", paint(mark.colour, mark.sign), cluster["cluster"].as_string(), action);
    const std::string moved = replicas_text(entry["replicas"], cluster["cluster"].as_string());
    if (!moved.empty()) line += "  " + moved;
    if (cluster["suspended"].as_bool()) line += "  (suspended: not sent for now)";
    if (cluster.contains("held")) line += fmt::format("  (waits: {})", cluster["held"].as_string());
    if (cluster["preservedInMember"].as_bool()) line += "  (the member keeps its object)";
    fmt::print("{}\n", line);
    print_fields(cluster["fields"], 8);
  }
}

void print_problems(const Json& problems) {
  if (problems.empty()) return;
  fmt::print("\n{}\n", paint(Colour::Bold, "Problems"));
  for (const Json& problem : problems.elements()) {
    fmt::print("  {} {}: {}: {}\n", paint(Colour::Red, "!"), name_of_entry(problem),
               problem["reason"].as_string(), problem["message"].as_string());
    if (const auto next = problem["next"].as_string(); !next.empty()) fmt::print("      try: {}\n", next);
  }
}

void print_left_out(const Json& entries) {
  if (entries.empty()) return;
  fmt::print("\n{}\n", paint(Colour::Bold, "Not in this plan"));
  for (const Json& entry : entries.elements())
    fmt::print("  {}: {}\n", name_of_entry(entry), entry["message"].as_string());
}

}  // namespace

void print_plan(const Json& plan) {
  print_changes(plan);
  for (const Json& entry : plan["templates"].elements()) print_template(entry);
  const Json& summary = plan["summary"];
  if (const auto more = summary["templatesNotShown"].as_int(); more > 0)
    fmt::print("\n… and {} more templates (--details shows more)\n", more);
  print_problems(plan["problems"]);
  print_left_out(plan["leftOut"]);
  fmt::print(
      "\n{} {} to create, {} to update, {} to delete on {} cluster{}; {} template{} move{} replicas.\n",
      paint(Colour::Bold, "Plan:"), summary["creates"].as_int(), summary["updates"].as_int(),
      summary["deletes"].as_int(), plan["clusters"].size(), plan["clusters"].size() == 1 ? "" : "s",
      summary["movedTemplates"].as_int(), summary["movedTemplates"].as_int() == 1 ? "" : "s",
      summary["movedTemplates"].as_int() == 1 ? "s" : "");
  if (const auto under_way = plan["underWay"]["count"].as_int(); under_way > 0)
    fmt::print("{} object{} changing already, whatever is applied.\n", under_way,
               under_way == 1 ? " is" : "s are");
  fmt::print("Id: {}\n", plan["id"].as_string());
}

}  // namespace flotilla::ctl
