// SPDX-License-Identifier: Apache-2.0
// The scripts of config/interpreters: GROUP_VERSION/Kind.lua defines the functions of the operations it knows
// (and only those start at the beginning of a line), lib/NAME.lua is what they require.
#include "core/interpreter/bundled_files.hpp"
#include "core/interpreter/customization.hpp"

namespace flotilla::interpreter {

namespace {

bool defines(std::string_view text, std::string_view function) {
  std::string line = "\nfunction " + std::string(function) + "(";
  return text.find(line) != std::string_view::npos;
}

Customization customization_of(std::string_view path, std::string_view text) {
  std::string_view folder = path.substr(0, path.find('/'));
  std::string_view kind = path.substr(folder.size() + 1);
  kind.remove_suffix(std::string_view(".lua").size());
  std::size_t separator = folder.rfind('_');
  Customization customization;
  customization.kind = kind;
  customization.api_version = std::string(folder.substr(0, separator)) + "/";
  customization.api_version += folder.substr(separator + 1);
  customization.name = path;
  customization.origin = "bundled script " + std::string(path);
  auto script = std::make_shared<lua::Script>(std::string(text));
  for (int i = 0; i < kOperations; ++i) {
    auto operation = static_cast<Operation>(i);
    if (defines(text, function_of(operation))) customization.scripts[static_cast<std::size_t>(i)] = script;
  }
  return customization;
}

Bundle read_bundle() {
  Bundle bundle;
  constexpr std::string_view kLibrary = "lib/";
  for (const BundledFile& file : bundled_files()) {
    if (file.path.starts_with(kLibrary)) {
      std::string_view name = file.path.substr(kLibrary.size());
      name.remove_suffix(std::string_view(".lua").size());
      bundle.modules.push_back({std::string(name), std::string(file.text)});
    } else {
      bundle.customizations.push_back(customization_of(file.path, file.text));
    }
  }
  return bundle;
}

}  // namespace

const Bundle& bundled_customizations() {
  static const Bundle bundle = read_bundle();
  return bundle;
}

}  // namespace flotilla::interpreter
