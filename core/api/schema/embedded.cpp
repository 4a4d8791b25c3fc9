// SPDX-License-Identifier: Apache-2.0
#include "core/api/schema/embedded.hpp"

// The assembler finds the files through -Wa,-I (core/api/CMakeLists.txt).
#define FLOTILLA_EMBED(symbol, file)                                 \
  __asm__(".section .rodata." #symbol                                \
          ",\"a\",@progbits\n"                                       \
          ".globl flotilla_table_" #symbol                           \
          "\n"                                                       \
          ".globl flotilla_table_" #symbol                           \
          "_end\n"                                                   \
          "flotilla_table_" #symbol                                  \
          ":\n"                                                      \
          ".incbin \"" file                                          \
          "\"\n"                                                     \
          "flotilla_table_" #symbol                                  \
          "_end:\n"                                                  \
          ".byte 0\n"                                                \
          ".text\n");                                                \
  extern "C" const char flotilla_table_##symbol[];                   \
  extern "C" const char flotilla_table_##symbol##_end[];             \
  namespace flotilla::api::embedded {                                \
  std::string_view symbol() {                                        \
    return {flotilla_table_##symbol, flotilla_table_##symbol##_end}; \
  }                                                                  \
  }

// What is newer than the recordings stands behind them.
#define FLOTILLA_AND "\"\n.incbin \""
FLOTILLA_EMBED(types, "types.txt" FLOTILLA_AND "later_types.txt")
FLOTILLA_EMBED(resources, "resources.txt" FLOTILLA_AND "later_resources.txt")
FLOTILLA_EMBED(kinds, "kinds.txt")
FLOTILLA_EMBED(defaults, "defaults.txt")
FLOTILLA_EMBED(columns, "columns.txt")
FLOTILLA_EMBED(descriptions, "descriptions.txt")
FLOTILLA_EMBED(time_zones, "time_zones.txt")
FLOTILLA_EMBED(protobuf, "protobuf.txt")
