// SPDX-License-Identifier: Apache-2.0
// What operators ask of this daemon and of no object: /flotilla/v1/WORD for the words that are given here.
// Stands in front of the API server, which is asked, as for any request, who asks and whether they may:
// rights are those of resources of the group flotilla.io.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/api/json.hpp"
#include "core/http/http.hpp"

namespace flotilla::daemon {

struct OperatorCall {
  std::string method;
  std::map<std::string, std::string> query;
  api::Json body;
  std::string user;
  // Set by who answers with bytes that come in pieces, instead of with Json.
  std::unique_ptr<http::BodyStream> stream = {};
};
using OperatorCallPtr = std::shared_ptr<OperatorCall>;

struct OperatorWord {
  std::string resource;  // of flotilla.io
  // By method, the verb that its caller must be allowed; others are not known.
  std::map<std::string, std::string> verbs;
  std::function<Task<Result<api::Json>>(OperatorCallPtr)> answer;
};

class OperatorEndpoint {
 public:
  // Before the first request.
  void add(const std::string& word, OperatorWord how) { words_[word] = std::move(how); }
  // Its own words, and `api` for all else.
  http::Handler before(http::Handler api) const;

 private:
  std::map<std::string, OperatorWord> words_;
};

// A Status as Kubernetes words errors.
http::Response status_response(int code, const std::string& reason, const std::string& message);

}  // namespace flotilla::daemon
