// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/shape.hpp"

#include <limits>

#include "core/api/table/table.hpp"
#include "core/apiserver/read/encoded.hpp"
#include "core/apiserver/versions.hpp"
#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kMeta = "meta.k8s.io/";
constexpr std::size_t kStreamedFrom = 256u << 10;

Json partial_object(const Json& metadata) {
  return Json::object(
      {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", metadata}});
}

void append_partial(const api::Object& object, std::string& out) {
  out.append(R"({"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":)");
  out.append(cut(object.bytes()).metadata).append("}");
}

Json columns_json(const std::vector<api::PrinterColumn>& columns) {
  Json list = Json::array();
  for (const api::PrinterColumn& column : columns) {
    list.push_back(Json::object({{"name", column.name},
                                 {"type", column.type},
                                 {"format", column.format},
                                 {"description", column.description},
                                 {"priority", column.priority}}));
  }
  return list;
}

// Fills columns and rows. `object` is what includeObject asks for.
Json row_of(const Server& server, const Call& call, const std::vector<api::PrinterColumn>& columns,
            const Json& content) {
  Json row = Json::object({{"cells", api::table_cells(*call.resource, columns, content, server.now())}});
  if (Json conditions = api::table_conditions(*call.resource, content); !conditions.is_null()) {
    row.set("conditions", std::move(conditions));
  }
  const std::string_view include = call.query.get("includeObject");
  if (include == "None") {
    row.set("object", nullptr);
  } else if (include == "Object") {
    row.set("object", content);
  } else {
    Json partial = partial_object(content["metadata"]);
    partial.set("apiVersion", std::string(kMeta) + call.media.table_version);
    row.set("object", std::move(partial));
  }
  return row;
}

Json table_of(const Server& server, const Call& call, const std::vector<Json>& contents, Json metadata,
              bool with_columns) {
  const auto columns = api::table_columns(*call.resource);
  Json rows = Json::array();
  for (const Json& content : contents) rows.push_back(row_of(server, call, columns, content));
  return Json::object({{"kind", "Table"},
                       {"apiVersion", std::string(kMeta) + call.media.table_version},
                       {"metadata", std::move(metadata)},
                       {"columnDefinitions", with_columns ? columns_json(columns) : Json::array()},
                       {"rows", std::move(rows)}});
}

Json version_metadata(const Json& content) {
  Json metadata = Json::object();
  const std::string_view version = content["metadata"]["resourceVersion"].as_string();
  if (!version.empty()) metadata.set("resourceVersion", version);
  return metadata;
}

std::string list_version(const Call& call) {
  return call.media.shape == Shape::PartialObjectList ? "meta.k8s.io/v1" : call.resource->group_version();
}

// Items of built-in lists carry no kind.
bool items_are_typed(const Resource& resource) {
  return resource.origin != api::Origin::Kubernetes;
}

void append_item(const Call& call, const api::Object& object, std::string& out) {
  if (call.media.shape == Shape::PartialObjectList) return append_partial(object, out);
  if (!is_presentable(call, object)) {
    Json shown = present(call, object);
    if (!items_are_typed(*call.resource)) {
      shown.erase("kind");
      shown.erase("apiVersion");
    }
    out.append(shown.dump());
  } else if (items_are_typed(*call.resource)) {
    out.append(object.bytes());
  } else {
    for (const std::string_view piece : object.untyped()) out.append(piece);
  }
}

// How much append_item() appends; nothing where only doing it tells.
std::optional<std::size_t> size_of_item(const Call& call, const api::Object& object) {
  if (call.media.shape == Shape::PartialObjectList || !is_presentable(call, object)) return std::nullopt;
  return items_are_typed(*call.resource) ? object.bytes().size() : object.untyped_size();
}

// A list on its way: one block at a time, made of the stored bytes when the last one was taken.
class ListStream final : public http::BodyStream {
 public:
  ListStream(CallPtr call, std::string head, std::vector<ObjectPtr> objects)
      : call_(std::move(call)), block_(std::move(head)), objects_(std::move(objects)) {}

  Task<std::vector<http::Chunk>> next() override {
    std::vector<http::Chunk> chunks;
    if (ended_) co_return chunks;
    if (next_ > 0) block_.clear();
    fill(kBlock);
    chunks.push_back({nullptr, block_});  // this stream owns it until the next call
    co_return chunks;
  }

  // Of everything, before the first next(); nothing where it is not known.
  std::optional<std::size_t> size() const {
    std::size_t size = block_.size() + kTail.size() + (objects_.empty() ? 0 : objects_.size() - 1);
    for (const ObjectPtr& object : objects_) {
      const auto item = size_of_item(*call_, *object);
      if (!item) return std::nullopt;
      size += *item;
    }
    return size;
  }

  // All of it at once.
  std::string whole() && {
    fill(std::numeric_limits<std::size_t>::max());
    return std::move(block_);
  }

 private:
  static constexpr std::size_t kBlock = 128u << 10;
  static constexpr std::string_view kTail = "]}\n";

  // Until the block has `enough` bytes or the list is at its end.
  void fill(std::size_t enough) {
    block_.reserve(std::min(enough, kBlock));
    for (; next_ < objects_.size() && block_.size() < enough; ++next_) {
      if (next_ > 0) block_ += ',';
      append_item(*call_, *objects_[next_], block_);
      objects_[next_].reset();
    }
    if (next_ < objects_.size()) return;
    block_ += kTail;
    ended_ = true;
  }

  CallPtr call_;
  std::string block_;
  std::vector<ObjectPtr> objects_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

Json whole_list(const Server& server, const Call& call, const std::vector<ObjectPtr>& objects,
                const ListMeta& meta) {
  if (call.media.shape == Shape::Table) {
    std::vector<Json> contents;
    for (const ObjectPtr& object : objects) {
      contents.push_back(present(call, *object));
      object->release_content();  // a list of thousands is not kept parsed
    }
    return table_of(server, call, contents, meta.to_json(), true);
  }
  Json items = Json::array();
  for (const ObjectPtr& object : objects) {
    if (call.media.shape == Shape::PartialObjectList) {
      items.push_back(partial_object((*object->content())["metadata"]));
      continue;
    }
    Json shown = present(call, *object);
    if (!items_are_typed(*call.resource)) {
      shown.erase("kind");
      shown.erase("apiVersion");
    }
    items.push_back(std::move(shown));
  }
  const bool partial = call.media.shape == Shape::PartialObjectList;
  return Json::object({{"kind", partial ? "PartialObjectMetadataList" : call.resource->list_kind.c_str()},
                       {"apiVersion", list_version(call)},
                       {"metadata", meta.to_json()},
                       {"items", std::move(items)}});
}

// Lists of custom resources always have a continue token, be it empty.
Json list_metadata(const Call& call, const ListMeta& meta) {
  Json metadata = meta.to_json();
  if (call.resource->origin == api::Origin::Custom && call.media.shape == Shape::Object &&
      !metadata.contains("continue")) {
    metadata.set("continue", "");
  }
  return metadata;
}

}  // namespace

Json ListMeta::to_json() const {
  Json metadata = Json::object();
  const std::string text = version ? *version : std::to_string(revision.get());
  if (!text.empty()) metadata.set("resourceVersion", text);
  if (!continue_token.empty()) metadata.set("continue", continue_token);
  if (remaining) metadata.set("remainingItemCount", *remaining);
  return metadata;
}

http::Response object_response(const Server& server, const Call& call, int status, const Json& object) {
  if (call.media.shape == Shape::Table) {
    return json_response(call, status, table_of(server, call, {object}, version_metadata(object), true));
  }
  if (call.media.shape == Shape::PartialObject)
    return json_response(call, status, partial_object(object["metadata"]));
  return json_response(call, status, object);
}

http::Response object_response(const Server& server, const Call& call, int status, const ObjectPtr& object) {
  if (call.media.shape == Shape::Object && is_presentable(call, *object)) {
    return bytes_response(call, status, object);
  }
  return object_response(server, call, status, present(call, *object));
}

http::Response list_response(const ServerPtr& server, const CallPtr& the_call, std::vector<ObjectPtr> objects,
                             const ListMeta& meta) {
  const Call& call = *the_call;
  const bool plain = call.media.encoding == Encoding::Json && call.media.shape != Shape::Table &&
                     !call.media.pretty && !call.query.has("pretty");
  if (!plain) return json_response(call, 200, whole_list(*server, call, objects, meta));
  const bool partial = call.media.shape == Shape::PartialObjectList;
  std::string head = "{\"kind\":\"";
  head.append(partial ? "PartialObjectMetadataList" : call.resource->list_kind);
  head.append("\",\"apiVersion\":\"").append(list_version(call));
  head.append("\",\"metadata\":").append(list_metadata(call, meta).dump()).append(",\"items\":[");
  std::size_t size = 0;
  for (const ObjectPtr& object : objects) size += object->bytes().size();
  auto stream = std::make_unique<ListStream>(the_call, std::move(head), std::move(objects));
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  if (size > kStreamedFrom) {
    response.stream_size = stream->size();
    response.stream = std::move(stream);
  } else {
    response.body.push_back(http::Chunk::of(std::move(*stream).whole()));
  }
  return response;
}

Status check_shape(const Call& call, bool is_list) {
  const std::string_view include = call.query.get("includeObject");
  if (call.media.shape == Shape::Table && !include.empty() && include != "Metadata" && include != "Object" &&
      include != "None") {
    return Error(Code::BadRequest, "Unable to convert to Table as requested: includeObject: Invalid value: " +
                                       quoted(include) + ": must be 'Metadata', 'Object', 'None', or empty");
  }
  const std::string type =
      "*" + std::string(call.resource->origin == api::Origin::Custom ? "unstructured" : "core") + ".";
  if (is_list && call.media.shape == Shape::PartialObject) {
    return Error(Code::NotAcceptable,
                 "you requested PartialObjectMetadata, but the requested object is a list (" + type +
                     call.resource->list_kind + ")");
  }
  if (!is_list && call.media.shape == Shape::PartialObjectList) {
    return Error(Code::NotAcceptable,
                 "you requested PartialObjectMetadataList, but the requested object is not a list (" + type +
                     call.resource->kind + ")");
  }
  return {};
}

std::string event_frame(const Server& server, const Call& call, std::string_view type,
                        const api::Object& object, bool has_columns) {
  std::string out;
  out.reserve(object.bytes().size() + 64);
  out.append("{\"type\":\"").append(type).append("\",\"object\":");
  switch (call.media.shape) {
    case Shape::Table: {
      const Json content = present(call, object);
      out.append(table_of(server, call, {content}, version_metadata(content), has_columns).dump());
      break;
    }
    case Shape::PartialObject:
    case Shape::PartialObjectList:
      append_partial(object, out);
      break;
    case Shape::Object:
      if (is_presentable(call, object)) {
        out.append(object.bytes());
      } else {
        out.append(present(call, object).dump());
      }
      break;
  }
  return out.append("}\n");
}

std::string event_frame(const Server& server, const Call& call, std::string_view type, const Json& object,
                        bool has_columns) {
  Json shown = object;
  if (call.media.shape == Shape::Table) {
    shown = table_of(server, call, {object}, version_metadata(object), has_columns);
  } else if (call.media.shape != Shape::Object) {
    shown = partial_object(object["metadata"]);
  }
  return "{\"type\":\"" + std::string(type) + "\",\"object\":" + shown.dump() + "}\n";
}

Json bookmark_object(const Call& call, const std::string& version, bool initial_events_end) {
  Json metadata = Json::object({{"resourceVersion", version}});
  if (initial_events_end) {
    const bool partial = call.media.shape != Shape::Object;
    const Json empty =
        Json::object({{"kind", partial ? "PartialObjectMetadataList" : call.resource->list_kind.c_str()},
                      {"apiVersion", partial ? "meta.k8s.io/v1" : call.resource->group_version().c_str()},
                      {"metadata", Json::object()},
                      {"items", Json::array()}});
    metadata["annotations"] =
        Json::object({{"k8s.io/initial-events-end", "true"},
                      {"kubernetes.io/initial-events-list-blueprint", base64_encode(empty.dump())}});
  }
  if (call.resource->traits.typed) metadata.set("creationTimestamp", nullptr);
  switch (call.media.shape) {
    case Shape::Table:
      return Json::object({{"kind", "Table"},
                           {"apiVersion", std::string(kMeta) + call.media.table_version},
                           {"metadata", std::move(metadata)},
                           {"columnDefinitions", Json::array()},
                           {"rows", Json::array()}});
    case Shape::PartialObject:
    case Shape::PartialObjectList:
      return partial_object(metadata);
    case Shape::Object:
      break;
  }
  return Json::object({{"kind", call.resource->kind},
                       {"apiVersion", call.resource->group_version()},
                       {"metadata", std::move(metadata)}});
}

}  // namespace flotilla::apiserver
