// SPDX-License-Identifier: Apache-2.0
// flotillactl logs POD -C CLUSTER.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "core/ctl/pod_flags.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

constexpr Duration kSilence = std::chrono::hours(24 * 365);

struct LogFlags {
  PodFlags pod;
  bool follow = false, previous = false, timestamps = false;
  std::optional<std::int64_t> tail;
  std::string since;
};

Result<std::string> query_of(const LogFlags& flags) {
  http::Query query;
  if (!flags.pod.container.empty()) query.add("container", flags.pod.container);
  if (flags.follow) query.add("follow", "true");
  if (flags.previous) query.add("previous", "true");
  if (flags.timestamps) query.add("timestamps", "true");
  if (flags.tail) query.add("tailLines", std::to_string(*flags.tail));
  if (!flags.since.empty()) {
    const auto since = parse_duration(flags.since);
    if (!since) return Error(Code::BadRequest, fmt::format("--since {}: no duration like 5m", flags.since));
    query.add("sinceSeconds",
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*since).count()));
  }
  const std::string text = query.text();
  return text.empty() ? text : "?" + text;
}

Task<Status> print_stream(http::Client& client, std::string target) {
  http::ClientRequest request;
  request.target = std::move(target);
  auto opening = client.open(std::move(request));
  auto stream = co_await std::move(opening);
  if (!stream) co_return stream.error();
  const bool good = (*stream)->status() >= 200 && (*stream)->status() < 300;
  std::string said;
  for (;;) {
    auto reading = (*stream)->read(kSilence);
    const auto bytes = co_await std::move(reading);
    if (!bytes) co_return bytes.error();
    if (bytes->empty()) break;
    if (good) {
      std::fwrite(bytes->data(), 1, bytes->size(), stdout);
      std::fflush(stdout);
    } else {
      said += *bytes;
    }
  }
  co_return good ? Status() : Status(refusal_of((*stream)->status(), said));
}

int run_logs(const GlobalFlags& global, const LogFlags& flags) {
  const Result<std::string> query = query_of(flags);
  if (!query) return print_error(query.error()), exit_code::kUsage;
  const Result<PodPlace> place = find_pod(global, flags.pod);
  if (!place) return print_error(place.error());
  const std::string target = place->path + "/log" + *query;
  const Status printed = place->session->perform(
      [target](http::Client& client, const Executor&) { return print_stream(client, target); });
  return printed ? exit_code::kOk : print_error(printed.error());
}

}  // namespace

void add_pod_flags(CLI::App* command, PodFlags& flags) {
  command->add_option("POD", flags.pod, "The pod: NAME or pod/NAME")->required();
  command->add_option("-c,--container", flags.container, "One of its containers; else the only or first one");
  command->add_option("-C,--cluster", flags.cluster, "The member it is in; else the control plane");
}

Result<PodPlace> find_pod(const GlobalFlags& global, const PodFlags& flags) {
  std::string name = flags.pod;
  for (const char* prefix : {"pod/", "pods/", "po/"}) {
    if (name.starts_with(prefix)) name.erase(0, std::string_view(prefix).size());
  }
  if (name.empty() || name.find('/') != std::string::npos)
    return Error(Code::BadRequest, fmt::format("\"{}\" is no pod", flags.pod));
  Result<std::unique_ptr<Session>> session = open_place(global, flags.cluster);
  if (!session) return session.error();
  PodPlace place;
  place.path = fmt::format("/api/v1/namespaces/{}/pods/{}",
                           http::percent_encode(namespace_of(global, **session)), http::percent_encode(name));
  place.session = std::move(*session);
  return place;
}

void add_logs(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("logs", "What a pod of a member writes");
  auto flags = std::make_shared<LogFlags>();
  add_pod_flags(command, flags->pod);
  command->add_flag("-f,--follow", flags->follow, "Wait for more");
  command->add_flag("-p,--previous", flags->previous, "Of the container that ran before");
  command->add_flag("--timestamps", flags->timestamps, "With the time of each line");
  command->add_option("--tail", flags->tail, "The last so many lines");
  command->add_option("--since", flags->since, "Not older than this: 5s, 2m, 3h");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_logs(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
