// SPDX-License-Identifier: Apache-2.0
// flotillactl describe TYPE NAME -C CLUSTER.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/ctl/description.hpp"
#include "core/ctl/members.hpp"
#include "core/ctl/reference.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct DescribeFlags {
  std::vector<std::string> words;
  std::string cluster;
  bool no_events = false;
};

Result<Json> events_of(Session& session, const Json& object) {
  http::Query query;
  query.add("fieldSelector",
            fmt::format("involvedObject.name={},involvedObject.kind={}{}", api::name_of(object),
                        object["kind"].as_string(),
                        object["metadata"]["uid"].is_string()
                            ? fmt::format(",involvedObject.uid={}", object["metadata"]["uid"].as_string())
                            : ""));
  const std::string ns(api::namespace_of(object));
  return session.get(
      (ns.empty() ? "/api/v1/events" : "/api/v1/namespaces/" + http::percent_encode(ns) + "/events") + "?" +
      query.text());
}

int run_describe(const GlobalFlags& global, const DescribeFlags& flags) {
  const Result<std::unique_ptr<Session>> session = open_place(global, flags.cluster);
  if (!session) return print_error(session.error());
  const Result<Resources> resources = Resources::discover(**session);
  if (!resources) return print_error(resources.error());
  const auto reference = parse_reference(*resources, flags.words, namespace_of(global, **session));
  if (!reference) return print_error(reference.error());
  const Result<Json> object = (*session)->get(reference->path());
  if (!object) return print_error(object.error());
  fmt::print("{}", describe_object(*object));
  if (flags.no_events) return exit_code::kOk;
  const Result<Json> events = events_of(**session, *object);
  if (!events) return print_error(events.error());
  fmt::print("{}", describe_events(*events, SystemClock().now()));
  return exit_code::kOk;
}

}  // namespace

void add_describe(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("describe", "One object in words, and its events");
  auto flags = std::make_shared<DescribeFlags>();
  command->add_option("OBJECT", flags->words, "TYPE/NAME or TYPE NAME")->required();
  command->add_option("-C,--cluster", flags->cluster, "The member it is in; else the control plane");
  command->add_flag("--no-events", flags->no_events, "Without events");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_describe(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
