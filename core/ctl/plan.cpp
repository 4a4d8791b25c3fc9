// SPDX-License-Identifier: Apache-2.0
// flotillactl plan -f: what would applying do, on every cluster.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/ctl/plan_command.hpp"
#include "core/ctl/reference.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

// The server looks for a minute at most.
constexpr auto kPatience = std::chrono::seconds(90);

struct PlanFlags {
  std::vector<std::string> files;
  std::string output = "table";
  bool no_deletes = false;
  PlanQuestion question;
};

int run_plan(const GlobalFlags& global, const PlanFlags& flags) {
  const Result<std::vector<Manifest>> manifests = read_manifests(flags.files);
  if (!manifests) return print_error(manifests.error());
  Result<std::unique_ptr<Session>> session = open_session(global, kPatience);
  if (!session) return print_error(session.error());
  const Result<Resources> resources = Resources::discover(**session);
  if (!resources) return print_error(resources.error());
  const auto plan =
      ask_plan(**session, *resources, *manifests, namespace_of(global, **session), flags.question);
  if (!plan) return print_error(plan.error());
  if (!print_as(*plan, flags.output)) print_plan(*plan);
  const std::int64_t deletes = (*plan)["summary"]["deletes"].as_int();
  if (flags.no_deletes && deletes > 0) {
    const Error refused(Code::Invalid,
                        fmt::format("the plan deletes {} object{} from clusters, and --no-deletes forbids it",
                                    deletes, deletes == 1 ? "" : "s"));
    print_error(refused, "look at what is deleted above; without --no-deletes the plan is only shown");
    return exit_code::kNo;
  }
  if (flags.output == "table" && !flags.question.removes) {
    std::string files;
    for (const std::string& file : flags.files) files += " -f " + file;
    print_hint(
        fmt::format("exactly this: flotillactl apply{} --if-plan {}", files, (*plan)["id"].as_string()));
  }
  return exit_code::kOk;
}

}  // namespace

Result<Json> ask_plan(Session& session, const Resources& resources, const std::vector<Manifest>& manifests,
                      const std::string& ns, const PlanQuestion& question) {
  Json list = Json::array();
  for (const Manifest& manifest : manifests) {
    Json object = manifest.object;
    const Result<Resource> resource =
        resources.find_kind(object["apiVersion"].as_string(), object["kind"].as_string());
    if (!resource) return Error(resource.error()).context(manifest.origin);
    if (resource->namespaced && api::namespace_of(object).empty())
      object.make({"metadata"}).set("namespace", ns);
    list.push_back(std::move(object));
  }
  const Json body = Json::object(
      {{question.removes ? "delete" : "manifests", std::move(list)}, {"details", question.details}});
  return session.post("/flotilla/v1/plans", body);
}

void add_plan(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand(
      "plan", "Show what applying manifests would do on every cluster, and change nothing");
  auto flags = std::make_shared<PlanFlags>();
  command->add_option("-f,--filename", flags->files, "File, folder or - for standard input; may be repeated")
      ->required()
      ->allow_extra_args(false);
  command->add_flag("--delete", flags->question.removes, "What if these objects were deleted");
  command->add_flag("--no-deletes", flags->no_deletes,
                    "End with 2 if anything would be deleted from a cluster");
  command->add_option("--details", flags->question.details,
                      "Templates shown field by field; others are counted");
  command->add_option("-o,--output", flags->output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_plan(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
