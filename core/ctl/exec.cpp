// SPDX-License-Identifier: Apache-2.0
// flotillactl exec POD -C CLUSTER -- COMMAND, and attach.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

#include "core/async/fiber_scope.hpp"
#include "core/base/base64.hpp"
#include "core/ctl/exec_stream.hpp"
#include "core/ctl/pod_flags.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct ExecFlags {
  PodFlags pod;
  std::vector<std::string> command;  // empty: attach
  bool in = false, tty = false;
};

// One conversation. On one strand, but for what the blocking pool fills.
struct Talk {
  std::string target;
  bool in = false, tty = false;
  std::mt19937 random{std::random_device()()};
  std::shared_ptr<http::Duplex> duplex;
  bool can_close_input = false;
  std::string queue;
  bool sending = false;
  int exit = 0;
  std::string failure;  // what the server says of the end
};
using TalkPtr = std::shared_ptr<Talk>;

// The terminal passes every key on for as long as it lives.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted)
      : set_(wanted && isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!set_) return;
    termios raw = before_;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  }
  ~RawTerminal() {
    if (set_) tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool set_;
};

std::string window_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return fmt::format("{{\"Width\":{},\"Height\":{}}}", size.ws_col, size.ws_row);
}

// Frames in order, one write at a time.
Task<void> send(TalkPtr talk, std::string frames) {
  talk->queue += frames;
  if (talk->sending) co_return;
  talk->sending = true;
  bool good = true;
  while (good && !talk->queue.empty()) {
    auto writing = talk->duplex->write(std::exchange(talk->queue, {}));
    const Status written = co_await std::move(writing);
    good = written.ok();
  }
  talk->sending = false;
}

struct Input {
  bool ended = false;
  std::string bytes;
  std::string window;
};

// Waits a moment, so that it notices when nobody wants input any more.
void read_input(Input& input, bool reads) {
  pollfd standard{STDIN_FILENO, POLLIN, 0};
  const bool ready = poll(&standard, reads ? 1 : 0, 100) > 0;
  input.bytes.clear();
  input.window = window_size();
  if (!ready) return;
  char buffer[16384];
  const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
  if (got > 0) input.bytes.assign(buffer, static_cast<std::size_t>(got));
  input.ended = got <= 0;
}

Task<void> pass_input(const Executor& executor, TalkPtr talk) {
  auto input = std::make_shared<Input>();
  std::string window;
  while (!input->ended || talk->tty) {
    const bool reads = talk->in && !input->ended;
    auto waiting = run_blocking(executor, [input, reads] { read_input(*input, reads); });
    co_await std::move(waiting);
    std::string frames;
    if (!input->bytes.empty()) frames += client_frame(Channel::In, input->bytes, talk->random());
    if (talk->tty && !input->window.empty() && input->window != window) {
      window = input->window;
      frames += client_frame(Channel::Resize, window, talk->random());
    }
    if (reads && input->ended && talk->can_close_input) {
      const char channel = static_cast<char>(Channel::In);
      frames += client_frame(Channel::Close, {&channel, 1}, talk->random());
    }
    if (frames.empty()) continue;
    auto sending = send(talk, std::move(frames));
    co_await std::move(sending);
  }
}

// How it ended, as the server tells it: Success, or the exit code of the command.
void take_end(Talk& talk, const std::string& payload) {
  const Result<Json> status = Json::parse(payload);
  if (!status || (*status)["status"].as_string() == "Success") return;
  talk.exit = exit_code::kFailed;
  talk.failure = (*status)["message"].as_string();
  for (const Json& cause : (*status)["details"]["causes"].elements()) {
    if (cause["reason"].as_string() != "ExitCode") continue;
    talk.exit = std::atoi(std::string(cause["message"].as_string()).c_str());
    talk.failure = fmt::format("command terminated with exit code {}", talk.exit);
  }
}

Task<Status> listen(TalkPtr talk) {
  ServerMessages messages;
  for (;;) {
    auto reading = talk->duplex->read();
    const auto bytes = co_await std::move(reading);
    if (!bytes) co_return bytes.error();
    if (bytes->empty()) co_return Status();
    messages.feed(*bytes);
    while (const auto message = messages.next()) {
      using Kind = ServerMessages::Message::Kind;
      if (message->kind == Kind::Closed) co_return Status();
      if (message->kind == Kind::Ping) {
        auto sending = send(talk, pong_frame(message->payload, talk->random()));
        co_await std::move(sending);
      } else if (message->channel == Channel::Status) {
        take_end(*talk, message->payload);
      } else if (message->channel == Channel::Out || message->channel == Channel::Err) {
        std::FILE* const file = message->channel == Channel::Out ? stdout : stderr;
        std::fwrite(message->payload.data(), 1, message->payload.size(), file);
        std::fflush(file);
      }
    }
    if (messages.broken()) co_return Error(Code::Unavailable, "the server does not speak as agreed");
  }
}

http::ClientRequest handshake(Talk& talk) {
  http::ClientRequest request;
  request.target = talk.target;
  std::string key;
  for (int i = 0; i < 16; ++i) key += static_cast<char>(talk.random());
  request.headers.add("Connection", "Upgrade");
  request.headers.add("Upgrade", "websocket");
  request.headers.add("Sec-WebSocket-Version", "13");
  request.headers.add("Sec-WebSocket-Key", base64_encode(key));
  request.headers.add("Sec-WebSocket-Protocol", "v5.channel.k8s.io, v4.channel.k8s.io");
  return request;
}

Task<Status> converse(http::Client& client, const Executor& executor, TalkPtr talk) {
  auto upgrading = client.upgrade(handshake(*talk));
  auto upgraded = co_await std::move(upgrading);
  if (!upgraded) co_return upgraded.error();
  if (!upgraded->duplex) {
    std::string said;
    for (;;) {
      auto reading = upgraded->answer->read(std::chrono::seconds(30));
      const auto bytes = co_await std::move(reading);
      if (!bytes || bytes->empty()) break;
      said += *bytes;
    }
    co_return refusal_of(upgraded->answer->status(), said);
  }
  talk->duplex = upgraded->duplex;
  talk->can_close_input = upgraded->answer->headers().get("Sec-WebSocket-Protocol").starts_with("v5");
  const AnyExecutor strand = co_await boost::asio::this_coro::executor;
  FiberScope scope(strand, "input");
  if (talk->in || talk->tty) scope.spawn(pass_input(executor, talk));
  auto listening = listen(talk);
  const Status heard = co_await std::move(listening);
  talk->duplex->close();
  scope.cancel();
  auto joining = scope.join();
  co_await std::move(joining);
  co_return heard;
}

std::string query_of(const ExecFlags& flags) {
  http::Query query;
  for (const std::string& word : flags.command) query.add("command", word);
  if (!flags.pod.container.empty()) query.add("container", flags.pod.container);
  if (flags.in) query.add("stdin", "true");
  query.add("stdout", "true");
  if (!flags.tty) query.add("stderr", "true");
  if (flags.tty) query.add("tty", "true");
  return "?" + query.text();
}

int run_exec(const GlobalFlags& global, const ExecFlags& flags, const char* verb) {
  const Result<PodPlace> place = find_pod(global, flags.pod);
  if (!place) return print_error(place.error());
  auto talk = std::make_shared<Talk>();
  talk->target = place->path + "/" + verb + query_of(flags);
  talk->in = flags.in;
  talk->tty = flags.tty;
  Status done;
  {
    const RawTerminal terminal(flags.tty && flags.in);
    done = place->session->perform(
        [talk](http::Client& client, const Executor& executor) { return converse(client, executor, talk); });
  }
  if (!done) return print_error(done.error());
  if (!talk->failure.empty()) fmt::print(stderr, "{}\n", talk->failure);
  return talk->exit;
}

void add_stream_flags(CLI::App* command, ExecFlags& flags) {
  add_pod_flags(command, flags.pod);
  command->add_flag("-i,--stdin", flags.in, "Pass standard input on");
  command->add_flag("-t,--tty", flags.tty, "It is a terminal");
}

}  // namespace

void add_exec(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("exec", "Run a command in a pod of a member");
  auto flags = std::make_shared<ExecFlags>();
  add_stream_flags(command, *flags);
  command->add_option("COMMAND", flags->command, "Behind --: the command and its arguments")->required();
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_exec(invocation.flags, *flags, "exec"); };
  });
  CLI::App* attaching = app.add_subcommand("attach", "See what a pod of a member writes, and talk to it");
  auto attached = std::make_shared<ExecFlags>();
  add_stream_flags(attaching, *attached);
  attaching->callback([&invocation, attached] {
    invocation.run = [&invocation, attached] { return run_exec(invocation.flags, *attached, "attach"); };
  });
}

}  // namespace flotilla::ctl
