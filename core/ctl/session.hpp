// SPDX-License-Identifier: Apache-2.0
// One API server as the command line talks to it: requests that block, answers as Json, errors in the
// server's words.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/ctl/kubeconfig.hpp"
#include "core/http/http.hpp"

namespace flotilla::ctl {

class Session {
 public:
  explicit Session(Access access, Duration timeout = std::chrono::seconds(30));
  ~Session();

  const Access& access() const { return access_; }

  // Errors: what the server's Status says; Unavailable with the address when it cannot be reached.
  Result<api::Json> get(const std::string& target, std::string_view accept = "application/json");
  Result<api::Json> post(const std::string& target, const api::Json& body);
  Result<api::Json> put(const std::string& target, const api::Json& body);
  Result<api::Json> patch(const std::string& target, const api::Json& body, std::string_view content_type);
  Result<api::Json> remove(const std::string& target, const api::Json& options = {});
  Result<http::ClientResponse> send(http::ClientRequest request);
  // An answer as long as it likes: `take` gets it piece by piece, and ends it by answering an error. Errors
  // also: it was cut, or nothing came for a minute.
  using Take = std::function<Status(std::string_view bytes)>;
  Status stream(const std::string& method, const std::string& target, Take take);
  // For streams and upgrades: runs `work` to its end. Errors: its own.
  using Work = std::function<Task<Status>(http::Client& client, const Executor& executor)>;
  Status perform(Work work);

 private:
  struct State;
  Result<api::Json> exchange(std::string method, const std::string& target, std::string body,
                             std::string_view content_type, std::string_view accept);

  Access access_;
  Duration timeout_;
  std::unique_ptr<State> state_;
};

// What an answer that is no success says.
Error refusal_of(int status, const std::string& body);

}  // namespace flotilla::ctl
