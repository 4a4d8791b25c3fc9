// SPDX-License-Identifier: Apache-2.0
// flotillactl diff: what members have otherwise than each other, or than they were sent.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/ctl/paint.hpp"
#include "core/ctl/reference.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct DiffFlags {
  std::vector<std::string> words, clusters;
  std::string output = "table";
  bool desired = false;
};

// Like kubectl diff: 0 equal, 1 differs, more: it could not be found out.
constexpr int kDiffers = 1;
constexpr int kCannotTell = 2;

std::string cell(const Json& values, const std::string& cluster) {
  const Json* value = values.find(cluster);
  return value == nullptr ? "-" : on_one_line(*value);
}

void print_members(const Json& answer, const std::vector<std::string>& clusters) {
  std::vector<std::string> header = {"FIELD"};
  for (const std::string& cluster : clusters) header.push_back(cluster);
  header.emplace_back("BECAUSE");
  std::vector<std::vector<std::string>> rows;
  for (const Json& field : answer["fields"].elements()) {
    std::vector<std::string> row = {std::string(field["path"].as_string())};
    for (const std::string& cluster : clusters) row.push_back(cell(field["values"], cluster));
    std::string because;
    for (const auto& [cluster, cause] : field["because"].members()) {
      if (!because.empty()) because += "; ";
      because.append(cluster).append(": ").append(cause.as_string());
    }
    row.push_back(because);
    rows.push_back(std::move(row));
  }
  print_table(header, rows);
}

void print_desired(const Json& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& field : answer["fields"].elements()) {
    const Json* message = field.find("message");
    rows.push_back(
        {std::string(field["cluster"].as_string()),
         message != nullptr ? std::string(message->as_string()) : std::string(field["path"].as_string()),
         field.contains("desired") ? on_one_line(field["desired"]) : "-",
         field.contains("live") ? on_one_line(field["live"]) : "-"});
  }
  print_table({"CLUSTER", "FIELD", "DESIRED", "LIVE"}, rows);
}

int run_diff(const GlobalFlags& global, const DiffFlags& flags) {
  std::string query = flags.desired ? "?desired=true" : "?desired=false";
  for (std::size_t i = 0; i < flags.clusters.size(); ++i)
    query += (i == 0 ? "&clusters=" : ",") + flags.clusters[i];
  const Result<Answered> answered = ask_about(global, flags.words, "diffs", query);
  if (!answered) return std::max(print_error(answered.error()), kCannotTell);
  const Json& answer = answered->answer;
  std::vector<std::string> present;
  bool unknown = false;
  for (const Json& cluster : answer["clusters"].elements()) {
    const std::string name(cluster["cluster"].as_string()), state(cluster["state"].as_string());
    if (state == "present") present.push_back(name);
    if (state == "unknown") {
      unknown = true;
      print_warning(fmt::format("{}: {}", name, cluster["message"].as_string()));
    }
    if (state == "absent" && !flags.desired) print_warning(name + ": it is not there");
  }
  const bool differs = !answer["fields"].empty();
  if (!print_as(answer, flags.output) && differs) {
    if (flags.desired) {
      print_desired(answer);
    } else {
      print_members(answer, present);
    }
  }
  if (differs) return kDiffers;
  return unknown ? kCannotTell : exit_code::kOk;
}

}  // namespace

void add_diff(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("diff", "Show which fields differ between members: TYPE/NAME");
  auto flags = std::make_shared<DiffFlags>();
  command->add_option("TYPE", flags->words, "TYPE/NAME or TYPE NAME")->required()->expected(1, 2);
  command
      ->add_option("-C,--clusters,--cluster", flags->clusters,
                   "Clusters, joined by commas; all targets otherwise")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--desired", flags->desired, "Against what each member was sent, instead of each other");
  command->add_option("-o,--output", flags->output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_diff(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
