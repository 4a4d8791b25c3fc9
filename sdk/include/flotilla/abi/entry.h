/* SPDX-License-Identifier: Apache-2.0
 *
 * The one symbol of a plugin: `const flt_plugin_v1_t flt_plugin_v1`. The major is in its name. It is constant
 * data, so a scanner reads it before any plugin function runs, and a static build hands over the very same
 * object.
 */
#ifndef FLOTILLA_ABI_ENTRY_H
#define FLOTILLA_ABI_ENTRY_H

#include "base.h"
#include "host.h"

FLT_EXTERN_C_BEGIN

#define FLT_PLUGIN_MAGIC UINT64_C(0x31544c465f544c46) /* "FLT_FLT1" in memory order */
#define FLT_PLUGIN_SYMBOL "flt_plugin_v1"

/* How the host runs the operations of a component. */
#define FLT_EXEC_ASYNC 1u    /* operations return at once; the plugin completes from anywhere */
#define FLT_EXEC_BLOCKING 2u /* operations may block: the host calls them on its blocking pool */
#define FLT_EXEC_COMPUTE 4u  /* pure functions */
#define FLT_EXEC_SERIAL 8u   /* never two operations at once per instance */

/* Kinds. A change of meaning is a new revision, even if no byte moves. */
#define FLT_KIND_STORAGE "flotilla.storage/1"
#define FLT_KIND_SCHEDULER "flotilla.scheduler/1"
#define FLT_KIND_OVERRIDE "flotilla.override/1"
#define FLT_KIND_DRIVER "flotilla.driver/1"
#define FLT_KIND_ESTIMATOR "flotilla.estimator/1"

typedef struct flt_create_args {
  uint32_t struct_size;
  uint32_t _pad;
  flt_str_t instance;    /* the operator's name for this instance */
  flt_str_t config_json; /* validated against config_schema, defaults filled in; "{}" where there is none */
  flt_str_t state_dir;   /* absolute folder this instance may write to, or absent */
} flt_create_args_t;

/* The common life of an instance: create -> start -> (operations, reconfigure, health)* -> stop -> destroy.
 * All optional but create and destroy. `self` is what create gave. Req-id: FLT-LIFE. */
typedef struct flt_component {
  uint32_t struct_size;
  uint32_t exec; /* FLT_EXEC_* */
  uint64_t caps; /* bits of the kind */
  const char* kind;
  const char* name;          /* unique within the kind: "sqlite", "image" */
  const char* summary;       /* one line */
  const char* config_schema; /* JSON Schema 2020-12 text, or null: takes no configuration */
  const void* ops;           /* table of the kind: flt_storage_ops_t, ... */

  /* [control] No I/O. Errors are INVALID_ARGUMENT with the configuration member at fault. */
  flt_status_t (*create)(const flt_host_t* host, const flt_create_args_t* args, void** self,
                         flt_error_t* err);
  /* [control] Frees the instance; after stop completed or when start never ran. */
  void (*destroy)(void* self);
  /* [control] Opens files, connects. Completes with a null result. */
  void (*start)(void* self, flt_call_t* call);
  /* [control] New configuration; FLT_FAILED_PRECONDITION: restart needed. */
  flt_status_t (*reconfigure)(void* self, flt_str_t config_json, flt_error_t* err);
  /* [any] FLT_OK or why not; cheap. */
  flt_status_t (*health)(void* self, flt_error_t* err);
  /* [control] No new operations come; finish the running ones until `deadline_ns`, join own threads,
   * complete. */
  void (*stop)(void* self, int64_t deadline_ns, flt_call_t* call);
  /* [any] Optional interfaces by versioned id; null: not offered. */
  const void* (*query)(void* self, flt_str_t id);
} flt_component_t;

typedef struct flt_plugin_v1 {
  /* The first 24 bytes are frozen for ever. */
  uint64_t magic;
  uint32_t struct_size;
  uint32_t header_minor;   /* FLT_ABI_MINOR of the headers it was built with */
  uint32_t required_minor; /* FLT_ABI_TARGET: the host loads it iff this is <= its own minor */
  uint32_t flags;          /* zero */

  const char* id;      /* reverse-DNS, unique: "io.flotilla.storage.sqlite" */
  const char* version; /* semver */
  const char* name;
  const char* vendor;
  const char* license; /* SPDX expression */
  const char* url;

  const flt_component_t* const* components; /* pointers, so a component may grow */
  uint64_t n_components;

  /* Optional. [control] Callable several times in pairs; no threads, no I/O, under 50 ms. */
  flt_status_t (*init)(const flt_host_t* host, flt_error_t* err);
  void (*fini)(void);
} flt_plugin_v1_t;

FLT_EXPORT extern const flt_plugin_v1_t flt_plugin_v1;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_ENTRY_H */
