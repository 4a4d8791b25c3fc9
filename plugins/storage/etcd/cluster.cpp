// SPDX-License-Identifier: Apache-2.0
#include "cluster.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <future>
#include <string_view>

#include "messages.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

constexpr std::int64_t kPause = 100;         // between two rounds over the members, ms
constexpr std::int64_t kConnectAnew = 1000;  // a broken connection is made from scratch this often, ms
constexpr int kTokensTried = 2;

std::string read_password(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// "3.4.23": whether a member of this version keeps the order of progress and events.
bool keeps_order(std::string_view version) {
  int parts[3] = {0, 0, 0};
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int& part : parts) {
    at = std::from_chars(at, end, part).ptr;
    if (at != end) ++at;
  }
  if (parts[0] != 3) return parts[0] > 3;
  if (parts[1] == 4) return parts[2] >= 31;
  if (parts[1] == 5) return parts[2] >= 13;
  return parts[1] > 5;
}

}  // namespace

struct Cluster::Call {
  const char* method;
  std::string request;
  Repeat repeat;
  Done done;
  std::int64_t until;  // ms
  std::size_t endpoint = 0;
  std::size_t tries = 0;
  int tokens = 0;
};

Cluster::Cluster(const flt_host_t* host, const EtcdOptions& options)
    : log_(host),
      options_(options),
      loop_(host),
      tells_progress_(options.endpoints.size()),
      connected_at_(options.endpoints.size(), 0) {
  for (const std::string& endpoint : options_.endpoints)
    channels_.push_back(std::make_shared<Channel>(loop_.grpc(), endpoint, options_.channel));
}

void Cluster::call(const char* method, std::string request, Repeat repeat, Done done) {
  auto call = std::make_shared<Call>();
  *call = {method, std::move(request), repeat, std::move(done), loop_.now_ms() + options_.request_timeout_ms};
  attempt(std::move(call));
}

ClusterAnswer Cluster::wait(const char* method, std::string request) {
  auto answer = std::make_shared<std::promise<ClusterAnswer>>();
  call(method, std::move(request), Repeat::Yes,
       [answer](ClusterAnswer given) { answer->set_value(std::move(given)); });
  return answer->get_future().get();
}

void Cluster::attempt(std::shared_ptr<Call> call) {
  call->endpoint = current_;
  ++call->tries;
  std::int64_t timeout = std::max<std::int64_t>(call->until - loop_.now_ms(), 1);
  // Where another member can be asked, one that hangs does not get all the time.
  if (call->repeat == Repeat::Yes && options_.endpoints.size() > 1)
    timeout = std::min(timeout, std::max<std::int64_t>(options_.request_timeout_ms / 2, 100));
  auto used = channel(call->endpoint);
  const Metadata with = metadata(call->method);
  const char* method = call->method;
  std::string request = call->request;
  loop_.call(std::move(used), method, std::move(request), with, timeout,
             [this, call = std::move(call)](RpcAnswer answer) { judge(call, std::move(answer)); });
}

void Cluster::judge(const std::shared_ptr<Call>& call, RpcAnswer answer) {
  if (!answer.ok() && !stopping_) {
    if (!options_.user.empty() && is_stale_token(answer) && call->tokens++ < kTokensTried) {
      return renew_token([this, call, answer](bool renewed) {
        if (renewed) return attempt(call);
        call->done({answer, name(call->endpoint)});
      });
    }
    if (is_passing(answer)) {
      if (answer.code != FLT_RESOURCE_EXHAUSTED) give_up(call->endpoint);
      const bool may = call->repeat == Repeat::Yes || was_not_done(answer);
      if (may && loop_.now_ms() + kPause < call->until) return repeat(call);
    }
  }
  call->done({std::move(answer), name(call->endpoint)});
}

void Cluster::repeat(const std::shared_ptr<Call>& call) {
  if (call->tries % options_.endpoints.size() != 0) return attempt(call);
  loop_.after(kPause, [this, call] { attempt(call); });
}

Metadata Cluster::metadata(const char* method) {
  Metadata all;
  // A member that has lost its leader refuses, so that another one is asked; its status can still be had.
  if (std::string_view(method) != kStatus) all.emplace_back("hasleader", "true");
  std::lock_guard lock(mutex_);
  if (!token_.empty()) all.emplace_back("token", token_);
  return all;
}

std::shared_ptr<Channel> Cluster::channel(std::size_t endpoint) {
  std::lock_guard lock(mutex_);
  return channels_[endpoint];
}

Cluster::Opened Cluster::open(const char* method, RpcStream::Handlers handlers) {
  const std::size_t endpoint = current_;
  return {loop_.open(channel(endpoint), method, metadata(method), std::move(handlers)), endpoint};
}

void Cluster::give_up(std::size_t endpoint) {
  connect_anew(endpoint);
  std::size_t expected = endpoint;
  const std::size_t next = (endpoint + 1) % options_.endpoints.size();
  if (next == endpoint || !current_.compare_exchange_strong(expected, next)) return;
  log_.write(FLT_LOG_WARN, "another member of etcd is used",
             {{sdk::str("failed"), sdk::str(name(endpoint))}, {sdk::str("now"), sdk::str(name(next))}});
  if (moved_) moved_(endpoint);
}

// Certificates on disk may have changed, and what keeps a connection from working may be in itself.
void Cluster::connect_anew(std::size_t endpoint) {
  std::lock_guard lock(mutex_);
  if (loop_.now_ms() - connected_at_[endpoint] < kConnectAnew) return;
  connected_at_[endpoint] = loop_.now_ms();
  try {
    channels_[endpoint] = std::make_shared<Channel>(loop_.grpc(), name(endpoint), options_.channel);
  } catch (const sdk::Failure& failure) {
    log_.write(FLT_LOG_WARN, "etcd's certificates cannot be read again, the old ones stay in use",
               {{sdk::str("error"), sdk::str(failure.what())}});
  }
}

void Cluster::renew_token(std::function<void(bool)> then) {
  {
    std::lock_guard lock(mutex_);
    waiting_for_token_.push_back(std::move(then));
    if (waiting_for_token_.size() > 1) return;
    token_.clear();
  }
  call(kAuthenticate, write_authenticate(options_.user, read_password(options_.password_file)), Repeat::Yes,
       [this](ClusterAnswer answer) { authenticated(std::move(answer)); });
}

void Cluster::authenticated(ClusterAnswer answer) {
  std::vector<std::function<void(bool)>> waiting;
  // Authentication may not be switched on yet.
  const bool off = answer.message.find("authentication is not enabled") != std::string::npos;
  {
    std::lock_guard lock(mutex_);
    if (answer.ok()) token_ = read_token(answer.body);
    waiting.swap(waiting_for_token_);
  }
  if (!answer.ok() && !off) {
    log_.write(FLT_LOG_WARN, "etcd does not accept the user",
               {{sdk::str("user"), sdk::str(options_.user)}, {sdk::str("error"), sdk::str(answer.message)}});
  }
  for (const auto& then : waiting) then(answer.ok() || off);
}

void Cluster::saw(std::int64_t revision) {
  std::int64_t known = newest_;
  while (known < revision && !newest_.compare_exchange_weak(known, revision)) {
  }
}

void Cluster::note_version(const std::string& endpoint, std::string_view version) {
  for (std::size_t i = 0; i < options_.endpoints.size(); ++i)
    if (name(i) == endpoint) tells_progress_[i] = keeps_order(version);
}

void Cluster::stop() {
  stopping_ = true;
  loop_.stop();
}

}  // namespace flotilla::plugins::storage::etcd
