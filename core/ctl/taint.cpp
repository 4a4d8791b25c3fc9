// SPDX-License-Identifier: Apache-2.0
// flotillactl taint, cordon and uncordon: whom a cluster takes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/ctl/members.hpp"
#include "core/ctl/taint_change.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr const char* kUnschedulable = "cluster.karmada.io/unschedulable";

std::string path_of(const std::string& cluster) {
  return std::string(kClustersPath) + "/" + http::percent_encode(cluster);
}

// Whether something changed. Somebody else's change in between makes it begin again.
Result<bool> rewrite_taints(Session& session, const std::string& name,
                            const std::vector<TaintChange>& changes, bool overwrite) {
  for (int tries = 0;; ++tries) {
    Result<Json> cluster = session.get(path_of(name));
    if (!cluster) return cluster.error();
    const Json before = std::as_const(*cluster)["spec"]["taints"];
    Result<Json> after = change_taints(before, changes, overwrite);
    if (!after) return after.error();
    if (*after == before || (after->empty() && before.is_null())) return false;
    if (after->empty()) {
      cluster->make({"spec"}).erase("taints");
    } else {
      cluster->make({"spec"}).set("taints", std::move(*after));
    }
    const Result<Json> written = session.put(path_of(name), *cluster);
    if (written) return true;
    if (!written.error().is(Code::Conflict) || tries == 4) return written.error();
  }
}

struct TaintFlags {
  std::vector<std::string> words;
  bool overwrite = false;
};

int run_taint(const GlobalFlags& global, const TaintFlags& flags) {
  std::vector<std::string> names, specs;
  for (std::size_t i = 1; i < flags.words.size(); ++i) {
    const std::string& word = flags.words[i];
    const bool about = word.find_first_of("=:") != std::string::npos || word.ends_with('-');
    (about ? specs : names).push_back(word);
  }
  const std::string& type = flags.words.front();
  if ((type != "cluster" && type != "clusters") || names.empty() || specs.empty()) {
    print_error(Error(Code::BadRequest, "name clusters and what to do with their taints"),
                "flotillactl taint clusters NAME key=value:NoSchedule");
    return exit_code::kUsage;
  }
  const auto changes = parse_taints(specs);
  if (!changes) return print_error(changes.error()), exit_code::kUsage;
  Result<std::unique_ptr<Session>> session = open_session(global);
  if (!session) return print_error(session.error());
  const bool only_off =
      std::all_of(changes->begin(), changes->end(), [](const auto& one) { return one.remove; });
  const bool only_on =
      std::none_of(changes->begin(), changes->end(), [](const auto& one) { return one.remove; });
  int worst = 0;
  for (const std::string& name : names) {
    Result<bool> changed = rewrite_taints(**session, name, *changes, flags.overwrite);
    if (!changed) {
      worst = print_error(std::move(changed).context("cluster " + name));
      continue;
    }
    fmt::print("cluster/{} {}\n", name, only_on ? "tainted" : only_off ? "untainted" : "modified");
  }
  return worst;
}

int run_cordon(const GlobalFlags& global, const std::vector<std::string>& names, bool closing) {
  Result<std::unique_ptr<Session>> session = open_session(global);
  if (!session) return print_error(session.error());
  const std::vector<TaintChange> changes = {{kUnschedulable, "", "NoSchedule", !closing}};
  const char* done = closing ? "cordoned" : "uncordoned";
  int worst = 0;
  for (const std::string& name : names) {
    const Result<bool> changed = rewrite_taints(**session, name, changes, true);
    const bool none =
        !changed && changed.error().is(Code::NotFound) && changed.error().message().starts_with("taint ");
    if (!changed && !none) {
      worst = print_error(changed.error());
      continue;
    }
    fmt::print("{} cluster {}{}\n", name, none || !*changed ? "already " : "", done);
  }
  return worst;
}

void add_cordon(CLI::App& app, Invocation& invocation, bool closing) {
  CLI::App* command = closing ? app.add_subcommand("cordon", "No new workloads for a cluster")
                              : app.add_subcommand("uncordon", "A cluster takes new workloads again");
  auto names = std::make_shared<std::vector<std::string>>();
  command->add_option("CLUSTER", *names, "Names of clusters")->required();
  command->callback([&invocation, names, closing] {
    invocation.run = [&invocation, names, closing] { return run_cordon(invocation.flags, *names, closing); };
  });
}

}  // namespace

void add_taint(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("taint", "Put taints on clusters, or take them off");
  auto flags = std::make_shared<TaintFlags>();
  command
      ->add_option("ARGS", flags->words, "clusters NAME... KEY=VALUE:EFFECT, KEY:EFFECT, KEY:EFFECT-, KEY-")
      ->required();
  command->add_flag("--overwrite", flags->overwrite, "A taint of this key and effect may be changed");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_taint(invocation.flags, *flags); };
  });
  add_cordon(app, invocation, true);
  add_cordon(app, invocation, false);
}

}  // namespace flotilla::ctl
