// SPDX-License-Identifier: Apache-2.0
#include "objects.hpp"

namespace flotilla::kubernetes {

namespace {

using sdk::JsonView;

void read_metadata(JsonView object, ReadObject& out) {
  object["metadata"].each_member([&](std::string_view key, JsonView value) {
    if (key == "name") {
      out.name = value.string();
    } else if (key == "namespace") {
      out.ns = value.string();
    } else if (key == "uid") {
      out.uid = value.string();
    } else if (key == "resourceVersion") {
      out.resource_version = value.string();
    } else if (key == "generation") {
      out.generation = value.integer();
    }
    return true;
  });
}

// {"metadata": ...} -> {"apiVersion":"v1","kind":"Pod","metadata": ...}
std::string with_type(JsonView item, const std::string& type) {
  std::string_view inside = item.raw().substr(1);
  std::string out = "{";
  out += type;
  const std::size_t first = inside.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && inside[first] != '}') out += ',';
  return out.append(inside);
}

std::string type_members(JsonView list) {
  std::string kind = list["kind"].string();
  if (kind.ends_with("List")) kind.resize(kind.size() - 4);
  std::string out = "\"apiVersion\":";
  out += list["apiVersion"].raw();
  out += ",\"kind\":";
  sdk::append_json_string(out, kind);
  return out;
}

struct Word {
  int http_status;
  flt_status_t code;
  const char* reason;
};

const Word* find_word(int http_status) {
  static constexpr Word kWords[] = {
      {400, FLT_INVALID_ARGUMENT, "BadRequest"},
      {401, FLT_UNAUTHENTICATED, "Unauthorized"},
      {403, FLT_PERMISSION_DENIED, "Forbidden"},
      {404, FLT_NOT_FOUND, "NotFound"},
      {405, FLT_UNIMPLEMENTED, "MethodNotAllowed"},
      {409, FLT_ABORTED, "Conflict"},
      {410, FLT_OUT_OF_RANGE, "Expired"},
      {413, FLT_RESOURCE_EXHAUSTED, "RequestEntityTooLarge"},
      {415, FLT_INVALID_ARGUMENT, "UnsupportedMediaType"},
      {422, FLT_INVALID_ARGUMENT, "Invalid"},
      {429, FLT_RESOURCE_EXHAUSTED, "TooManyRequests"},
      {500, FLT_INTERNAL, "InternalError"},
      {503, FLT_UNAVAILABLE, "ServiceUnavailable"},
      {504, FLT_DEADLINE_EXCEEDED, "Timeout"},
  };
  for (const Word& word : kWords) {
    if (word.http_status == http_status) return &word;
  }
  return nullptr;
}

}  // namespace

ReadObject read_object(std::string_view bytes) {
  const JsonView object(bytes);
  if (!object.is_object()) throw sdk::Failure(FLT_DATA_LOSS, "the answer is no JSON object");
  ReadObject out;
  read_metadata(object, out);
  out.bytes = object.raw();
  return out;
}

ReadList read_list(std::string_view bytes) {
  const JsonView list(bytes);
  if (!list["items"].is_array() && !list["kind"].string().ends_with("List")) {
    throw sdk::Failure(FLT_DATA_LOSS, "the answer is no list");
  }
  ReadList out;
  out.resource_version = list["metadata"]["resourceVersion"].string();
  out.continue_token = list["metadata"]["continue"].string();
  const std::string type = type_members(list);
  list["items"].each_element([&](JsonView item) {
    if (!item.is_object()) throw sdk::Failure(FLT_DATA_LOSS, "a member of the list is no object");
    ReadObject& object = out.objects.emplace_back();
    read_metadata(item, object);
    object.bytes = item["kind"].absent() ? with_type(item, type) : std::string(item.raw());
  });
  return out;
}

Refusal read_status(int http_status, std::string_view body) {
  Refusal refusal;
  refusal.http_status = http_status;
  const Word* word = find_word(http_status);
  if (word != nullptr) {
    refusal.code = word->code;
    refusal.reason = word->reason;
  }
  try {
    const JsonView status(body);
    if (status["kind"].string() == "Status") {
      refusal.message = status["message"].string();
      if (const std::string reason = status["reason"].string(); !reason.empty()) refusal.reason = reason;
      refusal.retry_after_ms = status["details"]["retryAfterSeconds"].integer() * 1000;
    }
  } catch (const sdk::Failure&) {
    // Not a Status: its text is all there is.
  }
  if (refusal.reason == "AlreadyExists") refusal.code = FLT_ALREADY_EXISTS;
  if (refusal.reason == "Gone") refusal.reason = "Expired";
  if (refusal.message.empty()) {
    refusal.message = "the server answered " + std::to_string(http_status);
    if (!body.empty()) refusal.message.append(": ").append(body.substr(0, 300));
  }
  return refusal;
}

Refusal read_refusal(const sdk::HttpResponse& response) {
  Refusal refusal = read_status(response.status, response.body);
  const std::string_view after = response.header("retry-after");
  if (refusal.retry_after_ms == 0 && !after.empty())
    refusal.retry_after_ms = JsonView(after).integer() * 1000;
  return refusal;
}

void fail(const flt_host_t* host, sdk::Call& call, const Refusal& refusal) {
  flt_error_t error{};
  error.struct_size = sizeof error;
  error.arena = call.arena().raw();
  sdk::fill_error(host, &error, refusal.code, refusal.message, refusal.reason, refusal.http_status);
  error.retry_after_ms = refusal.retry_after_ms;
  call.fail_with(error);
}

ReadEvent read_event(std::string_view line) {
  const JsonView event(line);
  const std::string type = event["type"].string();
  const JsonView object = event["object"];
  ReadEvent out;
  if (type == "ERROR") {
    out.is_error = true;
    out.refusal = read_status(static_cast<int>(object["code"].integer(500)), object.raw());
    return out;
  }
  if (type == "MODIFIED") {
    out.type = FLT_EVENT_MODIFIED;
  } else if (type == "DELETED") {
    out.type = FLT_EVENT_DELETED;
  } else if (type == "BOOKMARK") {
    out.type = FLT_EVENT_BOOKMARK;
  } else if (type != "ADDED") {
    throw sdk::Failure(FLT_DATA_LOSS, "unknown event type \"" + type + "\"");
  }
  out.object = read_object(object.raw());
  return out;
}

}  // namespace flotilla::kubernetes
