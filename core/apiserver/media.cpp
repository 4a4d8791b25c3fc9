// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/media.hpp"

#include <algorithm>
#include <cstdlib>

namespace flotilla::apiserver {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

template <typename Each>
void split(std::string_view text, char separator, const Each& each) {
  for (;;) {
    const auto end = text.find(separator);
    each(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

MediaClause parse_clause(std::string_view text) {
  MediaClause clause;
  bool first = true;
  split(text, ';', [&](std::string_view piece) {
    if (first) {
      clause.type = lower(piece);
      first = false;
      return;
    }
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos) return;
    std::string name = lower(trimmed(piece.substr(0, equals)));
    std::string value(trimmed(piece.substr(equals + 1)));
    if (name == "q") {
      clause.quality = std::strtod(value.c_str(), nullptr);
    } else {
      clause.parameters.emplace_back(std::move(name), std::move(value));
    }
  });
  return clause;
}

std::string offered(const MediaOffer& offer) {
  std::string list = "application/json";
  if (offer.yaml) list += ", application/yaml";
  if (offer.protobuf) list += ", application/vnd.kubernetes.protobuf";
  return list;
}

bool is_wildcard(const MediaClause& clause) {
  return clause.type == "*/*";
}

// Whether the clause's parameters ask for something we have. Fills shape and pretty.
bool accepts_parameters(const MediaClause& clause, const MediaOffer& offer, Media& media) {
  const std::string_view as = clause.parameter("as");
  const std::string_view group = clause.parameter("g");
  const std::string_view version = clause.parameter("v");
  if (!as.empty() || !group.empty() || !version.empty()) {
    if (!offer.transforms || group != "meta.k8s.io" || (version != "v1" && version != "v1beta1"))
      return false;
    if (as == "Table") {
      media.shape = Shape::Table;
    } else if (as == "PartialObjectMetadata") {
      media.shape = Shape::PartialObject;
    } else if (as == "PartialObjectMetadataList") {
      media.shape = Shape::PartialObjectList;
    } else {
      return false;
    }
    media.table_version = version;
  }
  media.pretty = clause.parameter("pretty") == "1" || clause.parameter("pretty") == "true";
  const std::string_view stream = clause.parameter("stream");
  return stream.empty() || stream == "watch";
}

}  // namespace

std::string_view MediaClause::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

std::vector<MediaClause> parse_accept(std::string_view header) {
  std::vector<MediaClause> clauses;
  split(header, ',', [&](std::string_view text) {
    if (!text.empty()) clauses.push_back(parse_clause(text));
  });
  std::stable_sort(clauses.begin(), clauses.end(),
                   [](const MediaClause& a, const MediaClause& b) { return a.quality > b.quality; });
  return clauses;
}

std::string media_type_of(std::string_view content_type) {
  return lower(trimmed(content_type.substr(0, content_type.find(';'))));
}

Result<Media> negotiate(std::string_view accept, const MediaOffer& offer) {
  if (trimmed(accept).empty()) return Media{};
  bool known = false;
  for (const MediaClause& clause : parse_accept(accept)) {
    const bool json = clause.type == "application/json" || is_wildcard(clause);
    const bool yaml = offer.yaml && clause.type == "application/yaml";
    const bool protobuf = offer.protobuf && clause.type == "application/vnd.kubernetes.protobuf";
    known = known || json || yaml || protobuf;
    if (!json && !yaml) continue;
    Media media;
    media.encoding = yaml ? Encoding::Yaml : Encoding::Json;
    if (accepts_parameters(clause, offer, media)) return media;
  }
  if (known) {
    return Error(Code::NotAcceptable, "only the following media types are accepted: " + offered(offer));
  }
  return Error(Code::NotAcceptable, "406: Not Acceptable\n\nAvailable representations: " + offered(offer),
               ErrorDetails{});
}

}  // namespace flotilla::apiserver
