// SPDX-License-Identifier: Apache-2.0
// flotillactl apply -f and delete: what a manifest says is made so, or undone.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/ctl/command.hpp"
#include "core/ctl/manifests.hpp"
#include "core/ctl/members.hpp"
#include "core/ctl/plan_command.hpp"
#include "core/ctl/policy_document.hpp"
#include "core/ctl/resources.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

// A manifest's place on the server.
struct Target {
  Resource resource;
  std::string ns, name;
  std::string path() const { return resource.path(ns, name); }
  std::string collection() const { return resource.path(ns); }
};

Result<Target> target_of(const Manifest& manifest, const Resources& resources, const std::string& ns,
                         const GlobalFlags& flags) {
  const Json& object = manifest.object;
  Result<Resource> resource =
      resources.find_kind(object["apiVersion"].as_string(), object["kind"].as_string());
  if (!resource) return std::move(resource).context(manifest.origin);
  const std::string own(api::namespace_of(object));
  if (!own.empty() && !flags.ns.empty() && own != flags.ns) {
    return Error(Code::Invalid, fmt::format("{}: the namespace \"{}\" does not match --namespace {}",
                                            manifest.origin, own, flags.ns));
  }
  Target target{std::move(*resource), own.empty() ? ns : own, std::string(api::name_of(object))};
  if (!target.resource.namespaced) target.ns.clear();
  return target;
}

Result<std::string> apply_one(Session& session, const Target& target, Json object) {
  if (target.resource.namespaced) object.make({"metadata"}).set("namespace", target.ns);
  const Json wanted = with_last_applied(object);
  const Result<Json> live = session.get(target.path());
  if (!live && !live.error().is(Code::NotFound)) return live.error();
  if (!live) {
    const Result<Json> created = session.post(target.collection(), wanted);
    if (!created) return created.error();
    return std::string("created");
  }
  const Result<Json> last = Json::parse(api::annotation_of(*live, kLastApplied));
  const Json patch = three_way_patch(last ? *last : Json(), wanted, *live);
  if (patch.empty()) return std::string("unchanged");
  const Result<Json> patched = session.patch(target.path(), patch, "application/merge-patch+json");
  if (!patched) return patched.error();
  return std::string((*patched)["metadata"]["resourceVersion"] == (*live)["metadata"]["resourceVersion"]
                         ? "unchanged"
                         : "configured");
}

struct ApplyFlags {
  std::vector<std::string> files;
  bool plan = false;
  std::string if_plan;
  // With a policy beside each object.
  bool all_clusters = false;
  std::vector<std::string> clusters;
};

// Each object, and where it is wanted behind it the policy that propagates it to the clusters named.
Result<std::vector<Manifest>> with_policies(std::vector<Manifest> manifests, Session& session,
                                            const Resources& resources, const std::string& ns,
                                            const GlobalFlags& global, const ApplyFlags& flags) {
  if (!flags.all_clusters && flags.clusters.empty()) return manifests;
  const auto clusters = pick_clusters(session, flags.clusters);
  if (!clusters) return clusters.error();
  std::vector<Manifest> all;
  for (Manifest& manifest : manifests) {
    const Result<Target> target = target_of(manifest, resources, ns, global);
    if (!target) return target.error();
    if (target->resource.namespaced) manifest.object.make({"metadata"}).set("namespace", target->ns);
    all.push_back(manifest);
    if (target->resource.group == "policy.karmada.io") continue;
    Result<PolicyDocument> policy = policy_for(resources, manifest.object, "", flags.clusters);
    if (!policy) return policy.error();
    all.push_back({std::move(policy->object), manifest.origin});
  }
  return all;
}

// Shows the plan, or refuses where it is not the one that was agreed to. Nothing: go on and apply.
std::optional<int> plan_first(Session& session, const Resources& resources,
                              const std::vector<Manifest>& manifests, const std::string& ns,
                              const ApplyFlags& flags) {
  if (!flags.plan && flags.if_plan.empty()) return std::nullopt;
  const Result<Json> plan = ask_plan(session, resources, manifests, ns);
  if (!plan) return print_error(plan.error());
  const std::string id((*plan)["id"].as_string());
  std::string files;
  for (const std::string& file : flags.files) files += " -f " + file;
  if (flags.plan) {
    print_plan(*plan);
    print_hint(fmt::format("exactly this: flotillactl apply{} --if-plan {}", files, id));
    return exit_code::kOk;
  }
  if (id == flags.if_plan) return std::nullopt;
  print_error(
      Error(Code::Invalid, fmt::format("the world has moved since {}: the plan is {} now, and nothing "
                                       "was applied",
                                       flags.if_plan, id)),
      fmt::format("flotillactl apply{} --plan", files));
  return exit_code::kNo;
}

int run_apply(const GlobalFlags& flags, const ApplyFlags& apply) {
  Result<std::vector<Manifest>> manifests = read_manifests(apply.files);
  if (!manifests) return print_error(manifests.error());
  Result<std::unique_ptr<Session>> session = open_session(flags);
  if (!session) return print_error(session.error());
  const Result<Resources> resources = Resources::discover(**session);
  if (!resources) return print_error(resources.error());
  const std::string ns = namespace_of(flags, **session);
  manifests = with_policies(*std::move(manifests), **session, *resources, ns, flags, apply);
  if (!manifests) return print_error(manifests.error());
  if (const auto code = plan_first(**session, *resources, *manifests, ns, apply)) return *code;
  int worst = 0;
  for (const Manifest& manifest : *manifests) {
    const Result<Target> target = target_of(manifest, *resources, ns, flags);
    if (!target) {
      worst = print_error(target.error());
      continue;
    }
    Result<std::string> done = apply_one(**session, *target, manifest.object);
    if (!done) {
      worst = print_error(std::move(done).context(manifest.origin));
      continue;
    }
    fmt::print("{}/{} {}\n", target->resource.qualified(), target->name, *done);
  }
  return worst;
}

struct DeleteFlags {
  std::vector<std::string> words, files;
  bool ignore_not_found = false;
};

int remove_one(Session& session, const Target& target, bool ignore_not_found) {
  const Result<Json> removed =
      session.remove(target.path(), Json::object({{"propagationPolicy", "Background"}}));
  if (removed) {
    fmt::print("{} \"{}\" deleted\n", target.resource.qualified(), target.name);
    return 0;
  }
  if (ignore_not_found && removed.error().is(Code::NotFound)) return 0;
  return print_error(removed.error());
}

Result<std::vector<Target>> targets_of(const DeleteFlags& flags, const GlobalFlags& global,
                                       const Resources& resources, const std::string& ns) {
  std::vector<Target> targets;
  if (!flags.files.empty()) {
    Result<std::vector<Manifest>> manifests = read_manifests(flags.files);
    if (!manifests) return manifests.error();
    for (const Manifest& manifest : *manifests) {
      Result<Target> target = target_of(manifest, resources, ns, global);
      if (!target) return target.error();
      targets.push_back(std::move(*target));
    }
    return targets;
  }
  std::string type;
  for (const std::string& word : flags.words) {
    const std::size_t slash = word.find('/');
    if (slash == std::string::npos && type.empty()) {
      type = word;
      continue;
    }
    Result<Resource> resource = resources.find(slash == std::string::npos ? type : word.substr(0, slash));
    if (!resource) return resource.error();
    const std::string name = slash == std::string::npos ? word : word.substr(slash + 1);
    const bool namespaced = resource->namespaced;
    targets.push_back({std::move(*resource), namespaced ? ns : "", name});
  }
  if (targets.empty()) return Error(Code::Invalid, "nothing to delete; give TYPE NAME, TYPE/NAME or -f FILE");
  return targets;
}

int run_delete(const GlobalFlags& global, const DeleteFlags& flags) {
  Result<std::unique_ptr<Session>> session = open_session(global);
  if (!session) return print_error(session.error());
  const Result<Resources> resources = Resources::discover(**session);
  if (!resources) return print_error(resources.error());
  const auto targets = targets_of(flags, global, *resources, namespace_of(global, **session));
  if (!targets) return print_error(targets.error());
  int worst = 0;
  for (const Target& target : *targets)
    worst = std::max(worst, remove_one(**session, target, flags.ignore_not_found));
  return worst;
}

}  // namespace

void add_apply(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("apply", "Create or change what manifests describe");
  auto flags = std::make_shared<ApplyFlags>();
  command->add_option("-f,--filename", flags->files, "File, folder or - for standard input; may be repeated")
      ->required()
      ->allow_extra_args(false);
  command->add_flag("--all-clusters", flags->all_clusters,
                    "With a policy beside each object that propagates it to all clusters");
  command->add_option("-C,--cluster,--clusters", flags->clusters, "The same for these clusters")
      ->delimiter(',')
      ->excludes("--all-clusters");
  command->add_flag("--plan", flags->plan, "Show what it would do on every cluster, and change nothing");
  command->add_option("--if-plan", flags->if_plan,
                      "Apply only if the plan is still this one; else end with 2");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_apply(invocation.flags, *flags); };
  });
}

void add_delete(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("delete", "Delete objects by name or manifest");
  auto flags = std::make_shared<DeleteFlags>();
  command->add_option("TYPE", flags->words, "TYPE NAME... or TYPE/NAME...");
  command->add_option("-f,--filename", flags->files, "File, folder or -")->allow_extra_args(false);
  command->add_flag("--ignore-not-found", flags->ignore_not_found, "What is not there is no error");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_delete(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
