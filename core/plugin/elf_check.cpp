// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/elf_check.hpp"

#include <elf.h>
#include <flotilla/abi/entry.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <type_traits>

namespace flotilla::plugin {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "name this machine's ELF number"
#endif

constexpr std::size_t kMaxHeaders = 256;
constexpr std::size_t kMaxDynamic = 4096;
constexpr std::uint64_t kMaxSymbols = 4u << 20;

Error broken(const char* what) {
  return Error(Code::Invalid, std::string("not a usable shared library: ") + what);
}

// Reads of a file that may say anything: every one is bounded.
class ElfView {
 public:
  explicit ElfView(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  std::optional<T> at(std::uint64_t offset) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  // A text that ends within the file; empty where it does not.
  std::string_view text(std::uint64_t offset) const {
    if (offset >= bytes_.size()) return {};
    const std::size_t end = bytes_.find('\0', offset);
    return end == std::string_view::npos ? std::string_view() : bytes_.substr(offset, end - offset);
  }

  Status read_headers() {
    const auto header = at<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return broken("no ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != kMachine) {
      return broken("built for another kind of machine");
    }
    if (header->e_type != ET_DYN) return broken("no shared object");
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 || header->e_phnum > kMaxHeaders) {
      return broken("bad program headers");
    }
    for (std::size_t i = 0; i < header->e_phnum; ++i) {
      const auto segment = at<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr));
      if (!segment) return broken("cut short");
      if (segment->p_type == PT_LOAD &&
          (segment->p_offset > bytes_.size() || segment->p_filesz > bytes_.size() - segment->p_offset)) {
        return broken("cut short");
      }
      segments_.push_back(*segment);
    }
    return {};
  }

  Status read_dynamic() {
    const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                      [](const Elf64_Phdr& s) { return s.p_type == PT_DYNAMIC; });
    if (segment == segments_.end()) return broken("no dynamic section");
    const std::size_t count = std::min<std::size_t>(segment->p_filesz / sizeof(Elf64_Dyn), kMaxDynamic);
    for (std::size_t i = 0; i < count; ++i) {
      const auto entry = at<Elf64_Dyn>(segment->p_offset + i * sizeof(Elf64_Dyn));
      if (!entry) return broken("cut short");
      if (entry->d_tag == DT_NULL) break;
      dynamic_.emplace(entry->d_tag, entry->d_un.d_val);
    }
    return {};
  }

  // Where an address of the loaded image lies in the file.
  std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz) {
        return segment.p_offset + (address - segment.p_vaddr);
      }
    }
    return std::nullopt;
  }
  std::optional<std::uint64_t> value(std::int64_t tag) const {
    const auto it = dynamic_.find(tag);
    return it == dynamic_.end() ? std::nullopt : std::optional(it->second);
  }
  std::optional<std::uint64_t> table(std::int64_t tag) const {
    const auto address = value(tag);
    return address ? offset_of(*address) : std::nullopt;
  }
  std::vector<std::string> texts(std::int64_t tag) const {
    std::vector<std::string> found;
    const auto strings = table(DT_STRTAB);
    if (!strings) return found;
    const auto [first, last] = dynamic_.equal_range(tag);
    for (auto it = first; it != last; ++it) found.emplace_back(text(*strings + it->second));
    return found;
  }
  bool has_executable_stack() const {
    return std::any_of(segments_.begin(), segments_.end(), [](const Elf64_Phdr& s) {
      return s.p_type == PT_GNU_STACK && (s.p_flags & PF_X) != 0;
    });
  }

  // The dynamic symbol table has no length of its own; the hash table tells.
  std::uint64_t symbol_count() const {
    if (const auto hash = table(DT_HASH)) {
      const auto chains = at<std::uint32_t>(*hash + 4);
      return chains ? std::min<std::uint64_t>(*chains, kMaxSymbols) : 0;
    }
    const auto hash = table(DT_GNU_HASH);
    return hash ? gnu_symbol_count(*hash) : 0;
  }

 private:
  std::uint64_t gnu_symbol_count(std::uint64_t hash) const {
    const auto buckets = at<std::uint32_t>(hash);
    const auto first = at<std::uint32_t>(hash + 4);
    const auto bloom = at<std::uint32_t>(hash + 8);
    if (!buckets || !first || !bloom || *buckets > kMaxSymbols) return 0;
    const std::uint64_t bucket_table = hash + 16 + 8ull * *bloom;
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < *buckets; ++i) {
      const auto bucket = at<std::uint32_t>(bucket_table + 4 * i);
      if (!bucket) return 0;
      last = std::max<std::uint64_t>(last, *bucket);
    }
    if (last < *first) return *first;
    const std::uint64_t chain_table = bucket_table + 4ull * *buckets;
    for (; last < kMaxSymbols; ++last) {
      const auto chain = at<std::uint32_t>(chain_table + 4 * (last - *first));
      if (!chain) return 0;
      if ((*chain & 1u) != 0) return last + 1;
    }
    return 0;
  }

  std::string_view bytes_;
  std::vector<Elf64_Phdr> segments_;
  std::multimap<std::int64_t, std::uint64_t> dynamic_;
};

Status read_symbols(const ElfView& elf, ElfFacts& facts) {
  const auto symbols = elf.table(DT_SYMTAB);
  const auto strings = elf.table(DT_STRTAB);
  if (!symbols || !strings) return broken("no symbol table");
  bool unique = false;
  const std::uint64_t count = elf.symbol_count();
  for (std::uint64_t i = 1; i < count; ++i) {
    const auto symbol = elf.at<Elf64_Sym>(*symbols + i * sizeof(Elf64_Sym));
    if (!symbol) return broken("cut short");
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS) continue;
    const unsigned binding = ELF64_ST_BIND(symbol->st_info);
    if (binding == STB_GNU_UNIQUE) unique = true;
    if (binding == STB_LOCAL) continue;
    facts.exported.emplace_back(elf.text(*strings + symbol->st_name));
  }
  if (unique)
    facts.notices.emplace_back("has unique symbols, which are shared between plugins: use -fno-gnu-unique");
  return {};
}

Status check_exports(ElfFacts& facts) {
  const auto exports = [&](std::string_view name) {
    return std::find(facts.exported.begin(), facts.exported.end(), name) != facts.exported.end();
  };
  if (!exports(FLT_PLUGIN_SYMBOL)) {
    if (exports("flt_plugin_v2")) {
      return Error(Code::Invalid, "needs ABI major 2, this host speaks 1: upgrade flotilla");
    }
    return Error(Code::Invalid, "not a Flotilla plugin: no symbol " FLT_PLUGIN_SYMBOL);
  }
  if (facts.exported.size() > 1) {
    facts.notices.push_back("exports " + std::to_string(facts.exported.size() - 1) + " symbols beside " +
                            FLT_PLUGIN_SYMBOL + ": build it with flotilla_add_plugin()");
  }
  return {};
}

}  // namespace

Result<ElfFacts> check_elf(std::string_view bytes) {
  ElfView elf(bytes);
  ElfFacts facts;
  if (Status status = elf.read_headers(); !status) return status.error();
  if (Status status = elf.read_dynamic(); !status) return status.error();
  if (Status status = read_symbols(elf, facts); !status) return status.error();
  if (Status status = check_exports(facts); !status) return status.error();
  if (elf.value(DT_TEXTREL) || (elf.value(DT_FLAGS).value_or(0) & DF_TEXTREL) != 0) {
    return broken("relocations in code: build it with -fPIC");
  }
  if (elf.has_executable_stack()) return broken("wants an executable stack");
  for (const std::int64_t tag : {std::int64_t{DT_RPATH}, std::int64_t{DT_RUNPATH}}) {
    for (const std::string& path : elf.texts(tag)) {
      if (!path.starts_with('/') && !path.starts_with("$ORIGIN")) {
        return broken("searches for libraries in a folder that is not absolute");
      }
    }
  }
  facts.needed = elf.texts(DT_NEEDED);
  return facts;
}

Result<ElfFacts> check_elf_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return Error(Code::Invalid, path.string() + " cannot be read");
  std::string bytes(static_cast<std::size_t>(file.tellg()), '\0');
  file.seekg(0);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return Error(Code::Invalid, path.string() + " cannot be read");
  }
  return check_elf(bytes);
}

}  // namespace flotilla::plugin
