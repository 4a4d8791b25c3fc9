// SPDX-License-Identifier: Apache-2.0
// The loader suite: a plugin is broken one member at a time, and every time the registry says which.
#include "core/plugin/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "core/plugin/elf_check.hpp"

namespace flotilla::plugin {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

flt_status_t create_nothing(const flt_host_t*, const flt_create_args_t*, void** self, flt_error_t*) {
  static int instance = 0;
  *self = &instance;
  return FLT_OK;
}
void destroy_nothing(void*) {}

// A plugin whose every member a test may break.
struct Specimen {
  struct {
    std::uint32_t struct_size = 8;
    std::uint32_t pad = 0;
  } ops;
  flt_component_t component{};
  std::vector<const flt_component_t*> components{&component};
  flt_plugin_v1_t plugin{};

  Specimen() {
    component.struct_size = sizeof component;
    component.exec = FLT_EXEC_COMPUTE;
    component.kind = FLT_KIND_SCHEDULER;
    component.name = "specimen";
    component.summary = "a specimen";
    component.ops = &ops;
    component.create = create_nothing;
    component.destroy = destroy_nothing;
    plugin.magic = FLT_PLUGIN_MAGIC;
    plugin.struct_size = sizeof plugin;
    plugin.id = "org.example.specimen";
    plugin.version = "1.0.0";
    plugin.name = "Specimen";
    plugin.vendor = "Example";
    plugin.license = "MIT";
    plugin.url = "https://example.org";
    plugin.components = components.data();
    plugin.n_components = 1;
  }
};

class Plugin_Registry : public testing::Test {
 protected:
  Plugin_Registry()
      : executor_(clock_, {.io_threads = 1, .blocking_threads = 1}),
        environment_(executor_, "test"),
        registry_(environment_) {}

  static fs::path module(const char* path) { return fs::canonical(fs::path(PROBE_DIRECTORY) / path); }
  std::string refusal(const Specimen& specimen) {
    const Status status = registry_.adopt(&specimen.plugin);
    return status ? "" : status.error().message();
  }

  // What the registry adopts outlives it.
  Specimen specimen_, other_specimen_;
  SystemClock clock_;
  Executor executor_;
  HostEnvironment environment_;
  Registry registry_;
};

struct Break {
  const char* name;
  void (*apply)(Specimen&);
  const char* message;
};
void PrintTo(const Break& broken, std::ostream* out) {
  *out << broken.name;
}

class Plugin_Registry_Broken : public Plugin_Registry, public testing::WithParamInterface<Break> {};

TEST_P(Plugin_Registry_Broken, is_refused_with_the_member_at_fault) {
  Specimen specimen;
  GetParam().apply(specimen);
  EXPECT_THAT(refusal(specimen), HasSubstr(GetParam().message));
  EXPECT_EQ(registry_.find(FLT_KIND_SCHEDULER, "specimen"), nullptr);
  ASSERT_EQ(registry_.records().size(), 1u);
  EXPECT_EQ(registry_.records()[0].state, PluginState::Quarantined);
}

#define BREAK(name, statement, message)            \
  Break {                                          \
    #name, [](Specimen& s) { statement; }, message \
  }
INSTANTIATE_TEST_SUITE_P(
    OneMember, Plugin_Registry_Broken,
    testing::Values(
        BREAK(magic, s.plugin.magic = 1, "wrong magic"),
        BREAK(required_minor, s.plugin.required_minor = 7,
              "needs ABI minor 7, this host speaks 0: upgrade flotilla"),
        BREAK(struct_size, s.plugin.struct_size = 24, "struct_size is 24"),
        BREAK(flags, s.plugin.flags = 1, "flags that this host does not know"),
        BREAK(id_null, s.plugin.id = nullptr, "id is blank"),
        BREAK(id_blank, s.plugin.id = "", "id is blank"),
        BREAK(id_form, s.plugin.id = "Specimen", "no reverse domain name"),
        BREAK(version, s.plugin.version = nullptr, "version is blank"),
        BREAK(plugin_name, s.plugin.name = nullptr, "name is blank"),
        BREAK(vendor, s.plugin.vendor = nullptr, "vendor is blank"),
        BREAK(license, s.plugin.license = nullptr, "license is blank"),
        BREAK(url, s.plugin.url = nullptr, "url is blank"),
        BREAK(components, s.plugin.components = nullptr, "components is null"),
        BREAK(no_components, s.plugin.n_components = 0, "n_components is 0"),
        BREAK(many_components, s.plugin.n_components = 100000, "n_components is 100000"),
        BREAK(component_null, s.components[0] = nullptr, "component 0 is null"),
        BREAK(component_size, s.component.struct_size = 16, "component 0: struct_size is 16"),
        BREAK(exec_none, s.component.exec = 0, "exec must be one of"),
        BREAK(exec_two, s.component.exec = FLT_EXEC_ASYNC | FLT_EXEC_COMPUTE, "exec must be one of"),
        BREAK(kind, s.component.kind = nullptr, "kind is blank"),
        BREAK(kind_revision, s.component.kind = "flotilla.scheduler/2",
              "needs flotilla.scheduler/2, this host speaks flotilla.scheduler/1: upgrade flotilla"),
        BREAK(component_name, s.component.name = nullptr, "component 0: name is blank"),
        BREAK(component_name_form, s.component.name = "a b", "name has characters"),
        BREAK(summary, s.component.summary = nullptr, "summary is null"),
        BREAK(schema_text, s.component.config_schema = "{", "config_schema is no JSON"),
        BREAK(schema_type, s.component.config_schema = "[]", "config_schema is no JSON object"),
        BREAK(ops, s.component.ops = nullptr, "ops is null"),
        BREAK(ops_size, s.ops.struct_size = 0, "ops.struct_size is 0"),
        BREAK(create, s.component.create = nullptr, "create is null"),
        BREAK(destroy, s.component.destroy = nullptr, "destroy is null")),
    [](const auto& info) { return info.param.name; });

TEST_F(Plugin_Registry, adopts_a_good_plugin_and_makes_instances) {
  EXPECT_EQ(refusal(specimen_), "");
  EXPECT_THAT(registry_.names(FLT_KIND_SCHEDULER), ElementsAre("specimen"));
  const auto instance = registry_.instantiate(FLT_KIND_SCHEDULER, "specimen");
  ASSERT_TRUE(instance.ok());
  EXPECT_EQ((*instance)->name(), "specimen");
}

TEST_F(Plugin_Registry, skips_a_component_of_a_kind_it_has_never_heard_of) {
  flt_component_t future = specimen_.component;  // gone before the registry, which has not kept it
  future.kind = "flotilla.oracle/1";
  specimen_.components.push_back(&future);
  specimen_.plugin.components = specimen_.components.data();
  specimen_.plugin.n_components = 2;
  EXPECT_EQ(refusal(specimen_), "");
  EXPECT_THAT(registry_.records()[0].notices, ElementsAre(HasSubstr("flotilla.oracle/1")));
  EXPECT_EQ(registry_.records()[0].components.size(), 1u);
}

TEST_F(Plugin_Registry, refuses_the_same_component_from_another_plugin) {
  other_specimen_.plugin.id = "org.example.second";
  EXPECT_EQ(refusal(specimen_), "");
  EXPECT_THAT(refusal(other_specimen_), HasSubstr("already offered"));
}

TEST_F(Plugin_Registry, says_what_there_is_when_a_component_is_unknown) {
  EXPECT_EQ(refusal(specimen_), "");
  EXPECT_FALSE(registry_.load(fs::temp_directory_path() / "absent.so"));
  const auto instance = registry_.instantiate(FLT_KIND_SCHEDULER, "other");
  ASSERT_FALSE(instance.ok());
  EXPECT_EQ(instance.error().code(), Code::NotFound);
  EXPECT_THAT(instance.error().message(), HasSubstr("there are: specimen; "));
  EXPECT_THAT(instance.error().message(), HasSubstr("absent.so"));
}

TEST_F(Plugin_Registry, loads_files_and_validates_their_configuration) {
  registry_.discover({module("good")});
  for (const PluginRecord& record : registry_.records()) EXPECT_EQ(record.reason, "") << record.origin;
  EXPECT_THAT(registry_.names(FLT_KIND_SCHEDULER), ElementsAre("other", "probe"));
  InstanceOptions options;
  options.config = api::Json::object({{"weight", 3}});
  EXPECT_TRUE(registry_.instantiate(FLT_KIND_SCHEDULER, "probe", options).ok());
  options.config = api::Json::object({{"weight", 0}, {"wieght", 1}});
  const auto bad = registry_.instantiate(FLT_KIND_SCHEDULER, "probe", options);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message(), "probe.weight: must be at least 1; probe.wieght: is not known");
}

TEST_F(Plugin_Registry, puts_broken_files_aside_and_goes_on) {
  registry_.discover({module("broken"), module("good")});
  std::map<std::string, std::string> reasons;
  for (const PluginRecord& record : registry_.records()) {
    reasons[fs::path(record.origin).filename()] = record.reason;
  }
  EXPECT_THAT(reasons["probe_bad_magic.so"], HasSubstr("wrong magic"));
  EXPECT_EQ(reasons["probe_needs_minor.so"], "needs ABI minor 99, this host speaks 0: upgrade flotilla");
  EXPECT_EQ(reasons["probe_init_fails.so"], "init: no licence found");
  EXPECT_EQ(reasons["probe_good.so"], "");
  EXPECT_EQ(registry_.names(FLT_KIND_SCHEDULER).size(), 2u);
}

TEST_F(Plugin_Registry, refuses_a_second_file_with_the_same_id_in_one_directory) {
  registry_.discover({module("twice")});
  ASSERT_EQ(registry_.records().size(), 2u);
  EXPECT_EQ(registry_.records()[0].state, PluginState::Available);
  EXPECT_THAT(registry_.records()[1].reason, HasSubstr("already loaded from"));
}

TEST_F(Plugin_Registry, reads_the_major_and_bad_links_without_loading) {
  registry_.discover({module("odd")});
  ASSERT_EQ(registry_.records().size(), 2u);
  EXPECT_THAT(registry_.records()[0].reason, HasSubstr("executable stack"));
  EXPECT_EQ(registry_.records()[1].reason, "needs ABI major 2, this host speaks 1: upgrade flotilla");
}

// A folder of our own with files in it.
class Plugin_Files : public Plugin_Registry {
 protected:
  Plugin_Files() {
    std::string name = (fs::temp_directory_path() / "flotilla-plugins-XXXXXX").string();
    folder_ = fs::canonical(mkdtemp(name.data()));
  }
  ~Plugin_Files() override { fs::remove_all(folder_); }

  fs::path write(const char* name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    fs::permissions(folder_ / name, fs::perms(0644));
    return folder_ / name;
  }
  static std::string good_bytes() {
    std::ifstream file(module("good/probe_good.so"), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  fs::path folder_;
};

TEST_F(Plugin_Files, that_are_no_plugins_are_put_aside) {
  write("empty.so", "");
  write("text.so", "#!/bin/sh\n");
  write("readme.txt", "not looked at");
  fs::create_directory(folder_ / "folder.so");
  fs::create_symlink("text.so", folder_ / "link.so");
  registry_.discover({folder_});
  std::vector<std::string> reasons;
  for (const PluginRecord& record : registry_.records()) reasons.push_back(record.reason);
  EXPECT_THAT(reasons, ElementsAre(HasSubstr("no ELF file"), HasSubstr("not a regular file"),
                                   HasSubstr("symbolic link"), HasSubstr("no ELF file")));
}

TEST_F(Plugin_Files, that_others_may_write_are_put_aside) {
  const fs::path file = write("open.so", good_bytes());
  fs::permissions(file, fs::perms(0666));
  EXPECT_THAT(registry_.load(file).error().message(), HasSubstr("writable by everybody"));
  fs::permissions(file, fs::perms(0644));
  fs::permissions(folder_, fs::perms(0777));
  EXPECT_THAT(registry_.load(file).error().message(), HasSubstr("writable by everybody"));
  fs::permissions(folder_, fs::perms(0755));
  EXPECT_TRUE(registry_.load(file).ok());
}

TEST_F(Plugin_Files, cut_short_anywhere_are_refused_without_reading_beyond) {
  const std::string whole = good_bytes();
  ASSERT_TRUE(check_elf(whole).ok());
  for (std::size_t length = 0; length < whole.size(); length += 61) {
    static_cast<void>(check_elf(whole.substr(0, length)));
  }
  EXPECT_FALSE(check_elf(whole.substr(0, 1000)).ok());
}

TEST_F(Plugin_Files, with_flipped_bytes_never_crash_the_check) {
  const std::string whole = good_bytes();
  for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 4096); ++at) {
    std::string bent = whole;
    bent[at] = static_cast<char>(~bent[at]);
    static_cast<void>(check_elf(bent));
  }
}

}  // namespace
}  // namespace flotilla::plugin
