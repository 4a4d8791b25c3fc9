// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/manifests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "core/config/yaml.hpp"
#include "core/ctl/kubeconfig.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;
namespace fs = std::filesystem;

Status add_object(const Json& object, const std::string& origin, std::vector<Manifest>& found) {
  const std::string_view kind = object["kind"].as_string();
  if (!object.is_object()) return Error(Code::Invalid, origin + ": not an object");
  if (kind.ends_with("List") && object["items"].is_array()) {
    for (const Json& item : object["items"].elements()) {
      if (Status status = add_object(item, origin, found); !status) return status;
    }
    return {};
  }
  for (const char* member : {"apiVersion", "kind"}) {
    if (object[member].as_string().empty())
      return Error(Code::Invalid, fmt::format("{}: {} is missing", origin, member));
  }
  if (object["metadata"]["name"].as_string().empty() &&
      object["metadata"]["generateName"].as_string().empty()) {
    return Error(Code::Invalid, fmt::format("{}: metadata.name is missing ({})", origin, kind));
  }
  found.push_back({object, origin});
  return {};
}

Status add_text(std::string_view text, const std::string& origin, std::vector<Manifest>& found) {
  const Result<std::vector<Json>> documents = config::parse_yaml_documents(text);
  if (!documents) return Error(Code::Invalid, fmt::format("{}: {}", origin, documents.error().message()));
  for (std::size_t i = 0; i < documents->size(); ++i) {
    const std::string where = documents->size() == 1 ? origin : fmt::format("{}, document {}", origin, i + 1);
    if (Status status = add_object((*documents)[i], where, found); !status) return status;
  }
  return {};
}

std::vector<std::string> files_of(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<std::vector<Manifest>> read_manifests(const std::vector<std::string>& paths) {
  std::vector<Manifest> found;
  for (const std::string& path : paths) {
    if (path == "-") {
      const std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
      if (Status status = add_text(text, "standard input", found); !status) return status.error();
      continue;
    }
    for (const std::string& file : files_of(path)) {
      const Result<std::string> text = read_file(file);
      if (!text) return text.error();
      if (Status status = add_text(*text, file, found); !status) return status.error();
    }
  }
  if (found.empty()) return Error(Code::Invalid, "no objects to work on");
  return found;
}

}  // namespace flotilla::ctl
