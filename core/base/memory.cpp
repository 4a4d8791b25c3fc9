// SPDX-License-Identifier: Apache-2.0
#include "core/base/memory.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

// Programs that link mimalloc have it, all others glibc's allocator.
extern "C" void mi_collect(bool force) __attribute__((weak));

namespace flotilla {

void give_back_memory() {
  if (mi_collect != nullptr) {
    mi_collect(true);
  } else {
    malloc_trim(0);
  }
}

namespace {

// The loader says where things are in numbers.
template <typename T>
T* address(std::uintptr_t number) {
  T* place = nullptr;
  static_assert(sizeof place == sizeof number);
  std::memcpy(&place, &number, sizeof place);
  return place;
}

// Whether the loader wrote into what is otherwise as in the file.
bool has_text_relocations(const dl_phdr_info& object) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    if (object.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const auto* entry = address<const ElfW(Dyn)>(object.dlpi_addr + object.dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL) return true;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return true;
    }
  }
  return false;
}

int give_back(dl_phdr_info* object, std::size_t, void*) {
  if (has_text_relocations(*object)) return 0;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    // Only whole pages: those at the ends may hold parts of writable segments.
    const std::uintptr_t first = (object->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
    const std::uintptr_t last = (object->dlpi_addr + segment.p_vaddr + segment.p_filesz) / page * page;
    if (first < last) ::madvise(address<void>(first), last - first, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void give_back_program() {
  dl_iterate_phdr(give_back, nullptr);
}

}  // namespace flotilla
