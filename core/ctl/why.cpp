// SPDX-License-Identifier: Apache-2.0
// flotillactl why and timeline: why a template is where it is, and how that came about.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/ctl/pager.hpp"
#include "core/ctl/paint.hpp"
#include "core/ctl/reference.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct WhyFlags {
  std::vector<std::string> words;
  std::string only, output = "table";
  bool no_pager = false, diff = false;
};

std::string text(const Json& value) {
  return std::string(value.as_string());
}

void print_claim(const Json& claim) {
  const std::string policy = text(claim["policy"]);
  if (policy.empty()) {
    fmt::print("{}: {}\n", paint(Colour::Red, "no policy"), text(claim["reason"]));
  } else {
    fmt::print("claimed by {} (priority {}): {}\n", paint(Colour::Bold, policy), claim["priority"].as_int(),
               text(claim["reason"]));
  }
  for (const Json& other : claim["others"].elements()) {
    const std::string why = text(other["why"]);
    fmt::print("  also meant by {} (priority {}){}\n", text(other["policy"]), other["priority"].as_int(),
               why.empty() ? "" : ", but " + why);
  }
}

void print_binding(const Json& binding) {
  if (!binding.is_object()) return;
  const Json& scheduled = binding["scheduled"];
  const bool good = text(scheduled["status"]) == "True";
  const std::string ns = text(binding["namespace"]);
  fmt::print("{} {}{}{}: Scheduled={} {} {}\n", text(binding["kind"]), ns, ns.empty() ? "" : "/",
             text(binding["name"]),
             paint(good ? Colour::Green : Colour::Red, scheduled.is_null() ? "?" : text(scheduled["status"])),
             text(scheduled["reason"]), text(scheduled["message"]));
  if (binding.contains("affinity")) fmt::print("  affinity term in use: {}\n", text(binding["affinity"]));
  for (const Json& by : binding["requiredBy"].elements())
    fmt::print("  required by {}/{}\n", text(by["namespace"]), text(by["name"]));
}

// "3 of 5 clusters fit; 2 cluster(s) had untolerated taint ...".
void print_decision(const Json& decision) {
  if (!decision.is_object()) return;
  fmt::print("decision {} ({}, {}): {}, {} clusters fit", decision["number"].as_int(), text(decision["time"]),
             text(decision["trigger"]), text(decision["result"]), text(decision["fitting"]));
  for (const Json& verdict : decision["verdicts"].elements())
    fmt::print("; {} {}", verdict["count"].as_int(), text(verdict["reason"]));
  fmt::print("\n");
  for (const auto& [estimator, why] : decision["estimators"].members())
    fmt::print("  {} {}\n", estimator, text(why));
  if (const Json& selection = decision["selection"]; selection.is_object()) {
    fmt::print("  selected by {} ({} to {}): {}\n", text(selection["by"]), selection["minGroups"].as_int(),
               selection["maxGroups"].as_int(), on_one_line(selection["selected"]));
    for (const Json& group : selection["groups"].elements())
      fmt::print("    {} {}: {} clusters, room for {}, worth {}\n", group["chosen"].as_bool() ? "✓" : "-",
                 text(group["name"]), group["clusters"].as_int(), group["available"].as_int(),
                 group["score"].as_int());
  }
  for (const Json& part : decision["division"].elements()) {
    fmt::print("  {} replicas {}", part["replicas"].as_int(), text(part["how"]));
    std::string shares;
    for (const Json& share : part["shares"].elements()) {
      shares += fmt::format("{}{} {}", shares.empty() ? ": " : ", ", text(share["cluster"]),
                            share["replicas"].as_int());
      if (share.contains("weight")) shares += fmt::format(" (weight {})", share["weight"].as_int());
    }
    fmt::print("{}\n", shares.size() > 400 ? shares.substr(0, 400) + " ..." : shares);
    if (part.contains("tie"))
      fmt::print("    the last seat: {} before {}, {}\n", text(part["lastSeat"]["cluster"]),
                 text(part["next"]["cluster"]), text(part["tie"]));
  }
}

void print_diff(const Json& diff) {
  if (!diff.is_object()) return;
  const Json& from = diff["from"];
  const Json& to = diff["to"];
  fmt::print("\nfrom decision {} ({}, {}) to {} ({}, {}):\n", from["number"].as_int(), text(from["time"]),
             text(from["trigger"]), to["number"].as_int(), text(to["time"]), text(to["trigger"]));
  const auto change = [](const Json& entry) {
    const auto side = [](const Json& value) {
      return value.is_null() || (value.is_string() && value.as_string().empty()) ? "-" : on_one_line(value);
    };
    return side(entry["before"]) + " → " + side(entry["after"]);
  };
  for (const Json& input : diff["inputs"].elements())
    fmt::print("  {}: {}\n", text(input["what"]), change(input));
  for (const Json& cluster : diff["clusters"].elements())
    fmt::print("  {} {}: {}\n", text(cluster["cluster"]), text(cluster["what"]), change(cluster));
  if (diff["clustersNotShown"].as_int() > 0)
    fmt::print("  ... and {} more\n", diff["clustersNotShown"].as_int());
  for (const Json& outcome : diff["outcome"].elements())
    fmt::print("  => {}: {} replicas\n", text(outcome["cluster"]), change(outcome));
  if (diff["outcome"].empty()) fmt::print("  => the same clusters and replicas\n");
}

void print_openings(const Json& openings, const std::string& cluster) {
  if (!openings.is_object()) return;
  fmt::print("\nfor {} to get it:\n", cluster);
  int number = 0;
  for (const Json& obstacle : openings["obstacles"].elements()) {
    fmt::print("  {}. {}: {}\n", ++number, text(obstacle["reason"]),
               paint(Colour::Bold, text(obstacle["change"])));
    if (obstacle.contains("command")) fmt::print("     {}\n", text(obstacle["command"]));
  }
  if (openings.contains("stuck")) {
    fmt::print("  nothing known lifts this: {}\n", text(openings["stuck"]));
  } else if (number == 0) {
    fmt::print("  nothing has to change: the next decision would choose it\n");
  } else if (openings.contains("replicas")) {
    fmt::print("  tried out: it would then get {} replicas\n", openings["replicas"].as_int());
  } else {
    fmt::print("  tried out: it would then be a target\n");
  }
}

std::string place_text(const Json& cluster) {
  if (!cluster["target"].as_bool()) return cluster["fits"].as_bool() ? "no (fits)" : "no";
  if (!cluster.contains("replicas")) return "yes";
  return fmt::format("yes, {} replicas", cluster["replicas"].as_int());
}

std::string work_text(const Json& cluster) {
  const Json& work = cluster["work"];
  if (!work.is_object()) return cluster["missingWork"].as_bool() ? "no Work" : "-";
  std::string out = "Applied=" + text(work["applied"]);
  if (work.contains("health")) out += " " + text(work["health"]);
  if (work["suspended"].as_bool()) out += " suspended";
  if (work["conflict"].as_bool()) out += " conflict";
  if (work["deleting"].as_bool()) out += " deleting";
  return out;
}

std::string reason_text(const Json& cluster) {
  std::string out = text(cluster["reason"]);
  const auto join = [&](const std::string& more) {
    if (!more.empty()) out += (out.empty() ? "" : "; ") + more;
  };
  if (cluster.contains("now")) join(text(cluster["now"]));
  join(text(cluster["work"]["message"]));
  join(text(cluster["work"]["removalCause"]));
  if (cluster["work"].contains("held")) join("held, " + text(cluster["work"]["held"]));
  if (cluster["eviction"].is_object()) join("being evicted: " + text(cluster["eviction"]["reason"]));
  if (!cluster["ready"].as_bool(true)) join("the cluster is not Ready");
  return out;
}

void print_clusters(const Json& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& cluster : answer["clusters"].elements())
    rows.push_back({text(cluster["cluster"]), place_text(cluster), work_text(cluster), reason_text(cluster)});
  if (rows.empty()) return;
  fmt::print("\n");
  print_table({"CLUSTER", "TARGET", "WORK", "REASON"}, rows);
}

void print_why(const Json& answer, const std::string& only) {
  const Json& about = answer["template"];
  const std::string ns = text(about["namespace"]);
  fmt::print("{} {}{}{} ", text(about["kind"]), ns, ns.empty() ? "" : "/", text(about["name"]));
  print_claim(answer["claim"]);
  print_binding(answer["binding"]);
  print_decision(answer["decision"]);
  print_clusters(answer);
  if (!only.empty()) {
    const Json& cluster = answer["clusters"].element(0);
    const std::string reason = text(cluster["reason"]);
    if (cluster["target"].as_bool()) {
      fmt::print("\n{} is a target.\n", only);
    } else if (!reason.empty()) {
      const std::string by = text(cluster["refusedBy"]);
      fmt::print("\nnot {}: {}{}\n", only, reason, by.empty() ? "" : " (scheduling policy " + by + ")");
    }
  }
  print_openings(answer["openings"], only);
  print_diff(answer["diff"]);
  if (answer.contains("decisionNow")) fmt::print("\ndecided now: {}\n", text(answer["decisionNow"]));
  if (!answer["removals"].empty()) {
    fmt::print("\nremoved, and why:\n");
    for (const Json& removal : answer["removals"].elements())
      fmt::print("  {} {} {}: {}\n", text(removal["time"]), text(removal["cluster"]), text(removal["reason"]),
                 text(removal["message"]));
  }
  for (const Json& note : answer["notes"].elements()) fmt::print("note: {}\n", text(note));
  for (const Json& next : answer["next"].elements()) fmt::print("next: {}\n", text(next));
}

int run_why(const GlobalFlags& global, const WhyFlags& flags) {
  const Result<Answered> answered = ask_about(
      global, flags.words, "why",
      (flags.diff ? "?diff=true" : "?diff=false") + (flags.only.empty() ? "" : "&not=" + flags.only));
  if (!answered) return print_error(answered.error());
  const Pager pager(!flags.no_pager);
  if (!print_as(answered->answer, flags.output)) print_why(answered->answer, flags.only);
  return exit_code::kOk;
}

std::string what_text(const Json& entry) {
  const std::string what = text(entry["what"]);
  std::string out;
  if (what == "condition") {
    out = fmt::format("{}={} {}", text(entry["type"]), text(entry["status"]), text(entry["reason"]));
  } else if (what == "event") {
    out = text(entry["reason"]);
    if (text(entry["type"]) == "Warning") out = paint(Colour::Red, "! " + out);
  } else {
    out = what;
    if (!text(entry["reason"]).empty()) out += " " + text(entry["reason"]) + ":" + text(entry["type"]);
  }
  if (entry["count"].as_int() > 1) out += fmt::format(" ×{}", entry["count"].as_int());
  return out;
}

int run_timeline(const GlobalFlags& global, const WhyFlags& flags) {
  const Result<Answered> answered = ask_about(global, flags.words, "timeline", "");
  if (!answered) return print_error(answered.error());
  const Pager pager(!flags.no_pager);
  if (print_as(answered->answer, flags.output)) return exit_code::kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& entry : answered->answer["entries"].elements())
    rows.push_back({text(entry["time"]), text(entry["lane"]), text(entry["object"]), what_text(entry),
                    on_one_line(entry["message"].is_null() ? Json("") : entry["message"])});
  print_table({"TIME", "LANE", "OBJECT", "WHAT", "MESSAGE"}, rows);
  return exit_code::kOk;
}

void declare(CLI::App* command, const std::shared_ptr<WhyFlags>& flags) {
  command->add_option("TYPE", flags->words, "TYPE/NAME or TYPE NAME; a template, a binding or a Work")
      ->required()
      ->expected(1, 2);
  command->add_option("-o,--output", flags->output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  command->add_flag("--no-pager", flags->no_pager, "Never page");
}

}  // namespace

void add_why(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<WhyFlags>();
  CLI::App* command = app.add_subcommand("why", "Explain why a template is where it is: TYPE/NAME");
  declare(command, flags);
  command->add_option("--not", flags->only, "Why not this cluster, and what would have to change");
  command->add_flag("--diff", flags->diff, "What changed from the last decision but one to the last");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_why(invocation.flags, *flags); };
  });
  auto timeline_flags = std::make_shared<WhyFlags>();
  CLI::App* timeline =
      app.add_subcommand("timeline", "Show how a template came to be where it is: TYPE/NAME");
  declare(timeline, timeline_flags);
  timeline->callback([&invocation, timeline_flags] {
    invocation.run = [&invocation, timeline_flags] {
      return run_timeline(invocation.flags, *timeline_flags);
    };
  });
}

}  // namespace flotilla::ctl
