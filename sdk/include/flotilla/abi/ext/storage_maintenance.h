/* SPDX-License-Identifier: Apache-2.0
 *
 * Optional interface "flotilla.storage.maintenance/1" of a storage backend (flt_component_t.query): is what
 * it keeps whole, less space for the same, and figures for people and monitoring. Commits go on meanwhile.
 */
#ifndef FLOTILLA_ABI_EXT_STORAGE_MAINTENANCE_H
#define FLOTILLA_ABI_EXT_STORAGE_MAINTENANCE_H

#include "../storage.h"

FLT_EXTERN_C_BEGIN

#define FLT_STORAGE_MAINTENANCE "flotilla.storage.maintenance/1"

#define FLT_MAINTENANCE_CHECK 0   /* is everything whole? */
#define FLT_MAINTENANCE_COMPACT 1 /* give back what is not needed: old history, free pages, logs */

#define FLT_MAINTENANCE_ALONE 1u /* nobody else uses the backend: what takes longer may hold it up */

typedef struct flt_maintenance_request {
  uint32_t struct_size;
  uint32_t flags;
  int32_t what; /* FLT_MAINTENANCE_* */
  uint32_t _pad;
} flt_maintenance_request_t;

#define FLT_MAINTENANCE_PROGRESS 0
#define FLT_MAINTENANCE_FINDING 1 /* worth knowing: a figure, something that was put right */
#define FLT_MAINTENANCE_FAULT 2   /* damage that is still there */

/* One push of the stream; its credit is 1. */
typedef struct flt_maintenance_report {
  uint32_t struct_size;
  int32_t kind;   /* FLT_MAINTENANCE_* */
  uint64_t done;  /* of `total`, in whatever unit; progress alone */
  uint64_t total; /* 0: unknown */
  flt_str_t text; /* for people */
} flt_maintenance_report_t;

/* A figure as monitoring wants it. Names are snake_case with their unit: "free_bytes". */
typedef struct flt_storage_figure {
  flt_str_t name;
  flt_str_t help;
  double value;
} flt_storage_figure_t;

typedef struct flt_storage_figures {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_storage_figure_t* figures;
  uint64_t n_figures;
} flt_storage_figures_t;

typedef struct flt_maintenance_ops {
  uint32_t struct_size;
  uint32_t _pad;

  /* [op] Pushes flt_maintenance_report_t and ends the stream in order, also when it found damage.
   * Req-id: STO-MAINTENANCE-RUN. */
  void (*run)(void* self, const flt_maintenance_request_t* request, flt_stream_t* stream);

  /* [op] -> flt_storage_figures_t. Cheap: it is asked every few seconds. Req-id: STO-MAINTENANCE-FIGURES. */
  void (*figures)(void* self, flt_call_t* call);
} flt_maintenance_ops_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_EXT_STORAGE_MAINTENANCE_H */
