// SPDX-License-Identifier: Apache-2.0
// flotillactl simulate: who gains and loses replicas if clusters, replicas or policies were otherwise.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/ctl/manifests.hpp"
#include "core/ctl/paint.hpp"
#include "core/ctl/reference.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct SimulateFlags {
  std::vector<std::string> words, files, lost, taints, added;
  std::int64_t replicas = -1;
  bool anew = false;
  int details = 100;
  std::string output = "table";
};

std::string text(const Json& value) {
  return std::string(value.as_string());
}

std::string number(const Json& value) {
  return value.is_int() ? std::to_string(value.as_int()) : "-";
}

// "+3", "-2".
std::string change_text(std::int64_t before, std::int64_t after) {
  if (before == after) return "0";
  const std::string sign = after > before ? "+" : "";
  return paint(after > before ? Colour::Green : Colour::Red, sign + std::to_string(after - before));
}

void print_clusters(const Json& clusters) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& cluster : clusters.elements()) {
    const Json& replicas = cluster["replicas"];
    const Json& objects = cluster["objects"];
    rows.push_back({text(cluster["cluster"]), number(replicas["before"]), number(replicas["after"]),
                    change_text(replicas["before"].as_int(), replicas["after"].as_int()),
                    fmt::format("{} → {}", objects["before"].as_int(), objects["after"].as_int())});
  }
  if (rows.empty()) {
    fmt::print("No cluster gains or loses anything.\n");
  } else {
    print_table({"CLUSTER", "REPLICAS", "THEN", "CHANGE", "WORKLOADS"}, rows);
  }
}

// "member1 6 → 9, member2 4 → -"; what has no replicas comes or goes.
std::string moves_text(const Json& moves) {
  std::string out;
  for (const Json& move : moves.elements()) {
    const bool was = move.contains("before"), is = move.contains("after");
    const std::string cluster = text(move["cluster"]);
    const bool counts = move["before"].as_int() != 0 || move["after"].as_int() != 0;
    out += out.empty() ? "" : ", ";
    if (counts || was == is) {
      out += fmt::format("{} {} → {}", cluster, number(move["before"]), number(move["after"]));
    } else {
      out += (was ? "leaves " : "comes to ") + cluster;
    }
  }
  return out.empty() ? "stays where it is" : out;
}

void print_templates(const Json& simulation) {
  if (!simulation["templates"].empty()) fmt::print("\n");
  for (const Json& entry : simulation["templates"].elements()) {
    const std::string ns = text(entry["namespace"]);
    fmt::print("{} {}{}{}: {}\n", text(entry["kind"]), ns, ns.empty() ? "" : "/", text(entry["name"]),
               moves_text(entry["moves"]));
    if (entry.contains("unplaceable"))
      fmt::print("  {} {}\n", paint(Colour::Red, "! unplaceable:"), text(entry["unplaceable"]));
  }
  const std::int64_t more = simulation["summary"]["templatesNotShown"].as_int();
  if (more > 0) fmt::print("... and {} more (--details)\n", more);
}

void print_simulation(const Json& simulation) {
  print_clusters(simulation["clusters"]);
  print_templates(simulation);
  const Json& summary = simulation["summary"];
  fmt::print("\n{} of {} bindings move, {} become{} unplaceable", summary["moved"].as_int(),
             summary["bindings"].as_int(), summary["unplaceable"].as_int(),
             summary["unplaceable"].as_int() == 1 ? "s" : "");
  if (summary["stillUnplaceable"].as_int() > 0)
    fmt::print(", {} stay so", summary["stillUnplaceable"].as_int());
  fmt::print(".\n");
  for (const Json& note : simulation["notes"].elements()) fmt::print("note: {}\n", text(note));
}

Result<Json> manifests_of(const Resources& resources, const std::vector<std::string>& files,
                          const std::string& ns) {
  Json list = Json::array();
  if (files.empty()) return list;
  const auto manifests = read_manifests(files);
  if (!manifests) return manifests.error();
  for (const Manifest& manifest : *manifests) {
    Json object = manifest.object;
    const auto resource = resources.find_kind(object["apiVersion"].as_string(), object["kind"].as_string());
    if (!resource) return Error(resource.error()).context(manifest.origin);
    if (resource->namespaced && api::namespace_of(object).empty())
      object.make({"metadata"}).set("namespace", ns);
    list.push_back(std::move(object));
  }
  return list;
}

Result<Json> clusters_of(const std::vector<std::string>& files) {
  Json list = Json::array();
  if (files.empty()) return list;
  const auto manifests = read_manifests(files);
  if (!manifests) return manifests.error();
  for (const Manifest& manifest : *manifests) list.push_back(manifest.object);
  return list;
}

// Asks until the answer is there; says meanwhile how far it is.
Result<Json> wait_for(Session& session, Json answer, bool quiet) {
  if (text(answer["kind"]) != "SimulationProgress") return answer;
  Stage stage("simulation", quiet);
  while (text(answer["kind"]) == "SimulationProgress") {
    const std::int64_t looked = answer["looked"].as_int(), of = answer["of"].as_int();
    stage.note(of == 0 ? std::string("getting ready") : fmt::format("{} of {} bindings", looked, of));
    auto next = session.get("/flotilla/v1/simulations?id=" + text(answer["id"]));
    if (!next) {
      stage.failed();
      return next;
    }
    answer = *std::move(next);
  }
  stage.done(fmt::format("{} bindings", answer["summary"]["bindings"].as_int()));
  return answer;
}

Result<Json> ask(const GlobalFlags& global, const SimulateFlags& flags) {
  auto session = open_session(global);
  if (!session) return session.error();
  const auto resources = Resources::discover(**session);
  if (!resources) return resources.error();
  const std::string ns = namespace_of(global, **session);
  std::string path = "/flotilla/v1/simulations";
  if (!flags.words.empty()) {
    if (flags.replicas < 0) return Error(Code::BadRequest, "say how many with --replicas");
    const auto reference = parse_reference(*resources, flags.words, ns);
    if (!reference) return reference.error();
    path += reference->path();
  } else if (flags.replicas >= 0) {
    return Error(Code::BadRequest, "--replicas of what? name it: TYPE/NAME");
  }
  auto manifests = manifests_of(*resources, flags.files, ns);
  if (!manifests) return manifests;
  auto clusters = clusters_of(flags.added);
  if (!clusters) return clusters;
  Json body = Json::object({{"manifests", *std::move(manifests)},
                            {"clusters", *std::move(clusters)},
                            {"lose", Json::strings(flags.lost)},
                            {"taints", Json::strings(flags.taints)},
                            {"anew", flags.anew},
                            {"details", flags.details}});
  if (flags.replicas >= 0) body.set("replicas", flags.replicas);
  auto answer = (*session)->post(path, body);
  if (!answer) return answer;
  return wait_for(**session, *std::move(answer), global.quiet);
}

int run_simulate(const GlobalFlags& global, const SimulateFlags& flags) {
  const Result<Json> simulation = ask(global, flags);
  if (!simulation) return print_error(simulation.error());
  if (!print_as(*simulation, flags.output)) print_simulation(*simulation);
  return (*simulation)["summary"]["unplaceable"].as_int() > 0 ? exit_code::kNo : exit_code::kOk;
}

}  // namespace

void add_simulate(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("simulate",
                                         "Show who would gain and lose replicas, and change nothing; ends "
                                         "with 2 if something becomes unplaceable");
  auto flags = std::make_shared<SimulateFlags>();
  command->add_option("TYPE", flags->words, "Whose replicas: TYPE/NAME or TYPE NAME")->expected(0, 2);
  command->add_option("--replicas", flags->replicas, "If it had so many replicas")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{INT32_MAX}));
  command->add_option("-f,--filename", flags->files, "If these manifests were applied; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--lose", flags->lost, "If this cluster were gone; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--taint", flags->taints,
                   "CLUSTER=KEY[=VALUE]:EFFECT, with - behind it without the taint; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--add-cluster", flags->added,
          "If the clusters of this file had joined, with the status they would have; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--anew", flags->anew, "Divide all replicas anew, as a WorkloadRebalancer does");
  command->add_option("--details", flags->details, "Workloads shown; others are counted");
  command->add_option("-o,--output", flags->output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_simulate(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
