// SPDX-License-Identifier: Apache-2.0
// A request's line and what hangs on it: "METHOD TARGET", a line break, an Accept header.
#include "core/apiserver/media.hpp"
#include "core/apiserver/read/selection.hpp"
#include "core/apiserver/request_info.hpp"
#include "core/http/url.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  const std::string_view text = fuzz::text_of(data, size);
  const auto line_end = text.find('\n');
  const std::string_view line = text.substr(0, line_end);
  const std::string_view accept =
      line_end == std::string_view::npos ? std::string_view() : text.substr(line_end + 1);
  const auto space = line.find(' ');
  const std::string_view target = space == std::string_view::npos ? line : line.substr(space + 1);
  const auto question = target.find('?');
  const apiserver::Query query(question == std::string_view::npos ? std::string_view()
                                                                  : target.substr(question + 1));
  const auto info = apiserver::read_request(line.substr(0, space), target.substr(0, question), query);
  fuzz::require(!info.is_resource || info.parts.size() >= 3, "a resource request has group and version");
  (void)query.flag("watch");
  (void)query.integer("limit");
  (void)apiserver::negotiate(accept, {});
  (void)http::Url::parse(text);
  (void)http::Query::parse(text).text();
  (void)http::path_segments(text);
  static const auto pods = api::Registry::kubernetes().find_resource("", "v1", "pods");
  (void)apiserver::Selection::read(*pods, query);
  return 0;
}
