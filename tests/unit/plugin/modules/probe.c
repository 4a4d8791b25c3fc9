/* SPDX-License-Identifier: Apache-2.0
 * The smallest plugin there is, in C. Macros break it in one way each: the loader suite builds them all. */
#include <flotilla/abi/entry.h>
#include <stdlib.h>

#ifndef PROBE_ID
#define PROBE_ID "org.example.probe"
#endif
#ifndef PROBE_COMPONENT
#define PROBE_COMPONENT "probe"
#endif
#ifndef PROBE_MAGIC
#define PROBE_MAGIC FLT_PLUGIN_MAGIC
#endif
#ifndef PROBE_REQUIRED_MINOR
#define PROBE_REQUIRED_MINOR FLT_ABI_TARGET
#endif
#ifndef PROBE_SYMBOL
#define PROBE_SYMBOL flt_plugin_v1
#endif

static flt_status_t create(const flt_host_t* host, const flt_create_args_t* args, void** self,
                           flt_error_t* err) {
  (void)host;
  (void)err;
  char* made = calloc(1, args->config_json.n + 1);
  if (made == NULL) return FLT_RESOURCE_EXHAUSTED;
  *self = made;
  return FLT_OK;
}

static void destroy(void* self) {
  free(self);
}

#ifdef PROBE_CRASHES
__attribute__((constructor)) static void crash(void) {
  abort();
}
#endif

#ifdef PROBE_INIT_FAILS
static flt_status_t init(const flt_host_t* host, flt_error_t* err) {
  (void)host;
  static const char text[] = "no licence found";
  err->message.p = text;
  err->message.n = sizeof text - 1;
  return FLT_FAILED_PRECONDITION;
}
#define PROBE_INIT init
#else
#define PROBE_INIT NULL
#endif

static const struct {
  uint32_t struct_size;
  uint32_t pad;
} ops = {sizeof ops, 0};

static const flt_component_t component = {
    .struct_size = sizeof component,
    .exec = FLT_EXEC_COMPUTE,
    .kind = FLT_KIND_SCHEDULER,
    .name = PROBE_COMPONENT,
    .summary = "does nothing",
    .config_schema =
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"weight\":{\"type\":"
        "\"integer\",\"minimum\":1,\"default\":5}}}",
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};

static const flt_component_t* const components[] = {&component};

FLT_EXPORT extern const flt_plugin_v1_t PROBE_SYMBOL;
const flt_plugin_v1_t PROBE_SYMBOL = {
    .magic = PROBE_MAGIC,
    .struct_size = sizeof(flt_plugin_v1_t),
    .header_minor = FLT_ABI_MINOR,
    .required_minor = PROBE_REQUIRED_MINOR,
    .id = PROBE_ID,
    .version = "1.0.0",
    .name = "Probe",
    .vendor = "The Flotilla authors",
    .license = "Apache-2.0",
    .url = "https://flotilla.io",
    .components = components,
    .n_components = 1,
    .init = PROBE_INIT,
};
