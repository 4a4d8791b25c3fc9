/* SPDX-License-Identifier: Apache-2.0
 *
 * Kind flotilla.driver/1: how the daemon reaches member clusters. An instance is a driver type; a connection
 * is one member. Retry, rate limits, queues, relists and informer logic are the host's: a driver does one
 * thing once and says how it went.
 *
 * Three levels. A driver offers the lowest it can (FLT_DRIVER_DIAL < REQUEST < OBJECTS in its capabilities);
 * the host fills everything above from below. A host of ABI minor 0 uses level 3 alone; the members of the
 * lower levels have their place in the table now so that drivers need not change later.
 *
 * Errors of operations. reason is one of: Conflict, AlreadyExists, NotFound, Expired (list again), Forbidden,
 * Invalid, TooManyRequests, or the Status reason the member sent; http_status and message are the member's
 * own; retry_after_ms when it asked to wait. FLT_UNAVAILABLE means that the member was not reached: nothing
 * is known then, least of all that an object is absent.
 *
 * Texts of objects are JSON in UTF-8 unless media_type says otherwise.
 */
#ifndef FLOTILLA_ABI_DRIVER_H
#define FLOTILLA_ABI_DRIVER_H

#include "host.h"

FLT_EXTERN_C_BEGIN

/* Capabilities (flt_component.caps). */
#define FLT_DRIVER_DIAL 1u       /* level 1: a byte stream to the API server */
#define FLT_DRIVER_REQUEST 2u    /* level 2: HTTP requests */
#define FLT_DRIVER_OBJECTS 4u    /* level 3: objects */
#define FLT_DRIVER_SSA 8u        /* apply with FLT_APPLY_SSA */
#define FLT_DRIVER_BOOKMARKS 16u /* watches send bookmarks */
#define FLT_DRIVER_METADATA_ONLY 32u
#define FLT_DRIVER_LOGS 64u
#define FLT_DRIVER_CHANNELS 128u
#define FLT_DRIVER_DRY_RUN 256u

/* One member. Plugin-owned, opaque to the host. */
typedef struct flt_conn flt_conn_t;

#define FLT_CLUSTER_INSECURE 1u /* the certificate of the member is not verified */

/* Where a member is and who we are there. Secrets are handles for host->secret and for
 * "flotilla.host.http/1"; 0: none. */
typedef struct flt_cluster_ref {
  uint32_t struct_size;
  uint32_t flags;     /* FLT_CLUSTER_* */
  flt_str_t cluster;  /* the Cluster's name */
  flt_str_t endpoint; /* "https://10.0.0.1:6443", may have a path */
  flt_str_t ca_pem;   /* absent: the system's */
  flt_str_t client_certificate_pem;
  uint64_t client_key;   /* secret: PEM */
  uint64_t bearer_token; /* secret */
  flt_str_t impersonate_user;
  flt_str_t proxy_url;
  flt_str_t settings_json; /* settings of this cluster for drivers that have some; "{}" when there are none */
} flt_cluster_ref_t;

typedef struct flt_gvr {
  flt_str_t group; /* absent: the core group */
  flt_str_t version;
  flt_str_t resource; /* plural, lower case */
} flt_gvr_t;

/* What the host needs to know of an object without reading its bytes. */
typedef struct flt_meta {
  flt_str_t ns; /* absent: cluster-scoped */
  flt_str_t name;
  flt_str_t uid;
  flt_str_t resource_version;
  int64_t generation;
} flt_meta_t;

/* Complete: apiVersion and kind are in the bytes, also for members of lists. */
typedef struct flt_object {
  uint32_t struct_size;
  uint32_t _pad;
  flt_meta_t meta;
  flt_bytes_t bytes;
  flt_str_t media_type; /* absent: application/json */
} flt_object_t;

typedef struct flt_probe_result {
  uint32_t struct_size;
  int32_t reachable; /* something answered */
  int32_t ready;     /* and says that it is healthy */
  uint32_t _pad;
  flt_str_t version; /* "v1.32.4" */
  flt_str_t message; /* why not ready, for people */
  int64_t latency_ns;
} flt_probe_result_t;

#define FLT_RESOURCE_NAMESPACED 1u
#define FLT_RESOURCE_SSA 2u

typedef struct flt_resource {
  uint32_t struct_size;
  uint32_t flags; /* FLT_RESOURCE_* */
  flt_gvr_t gvr;
  flt_str_t kind;
  const flt_str_t* verbs;
  uint64_t n_verbs;
} flt_resource_t;

typedef struct flt_discover_result {
  uint32_t struct_size;
  int32_t complete; /* zero: some groups could not be read; what is here is true all the same */
  const flt_resource_t* const* resources;
  uint64_t n_resources;
  flt_str_t hash; /* equal hash: equal resources; absent: not known */
} flt_discover_result_t;

/* get, list, watch */
#define FLT_READ_METADATA_ONLY 1u /* bytes are PartialObjectMetadata */

typedef struct flt_get_request {
  uint32_t struct_size;
  uint32_t flags; /* FLT_READ_* */
  flt_gvr_t gvr;
  flt_str_t ns;
  flt_str_t name;
} flt_get_request_t;

typedef struct flt_list_request {
  uint32_t struct_size;
  uint32_t flags; /* FLT_READ_* */
  flt_gvr_t gvr;
  flt_str_t ns; /* absent: all namespaces */
  flt_str_t label_selector;
  flt_str_t field_selector;
  int64_t limit; /* 0: all; the driver may page inside */
  flt_str_t continue_token;
  flt_str_t resource_version; /* watch: events after this one. list: absent */
  flt_str_t metric_selector;  /* list of custom metrics: labels of the metric, not of what it describes */
} flt_list_request_t;

typedef struct flt_object_result {
  uint32_t struct_size;
  int32_t outcome; /* of apply: FLT_APPLIED_* */
  const flt_object_t* object;
} flt_object_result_t;

typedef struct flt_list_result {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_object_t* const* objects;
  uint64_t n_objects;
  flt_str_t resource_version; /* where a watch goes on */
  flt_str_t continue_token;   /* absent: that was all */
} flt_list_result_t;

#define FLT_EVENT_ADDED 0
#define FLT_EVENT_MODIFIED 1
#define FLT_EVENT_DELETED 2  /* the object's last state */
#define FLT_EVENT_BOOKMARK 3 /* only meta.resource_version counts */

typedef struct flt_watch_event {
  uint32_t struct_size;
  int32_t type; /* FLT_EVENT_* */
  const flt_object_t* object;
} flt_watch_event_t;

/* The batch of a watch stream; one event takes one credit. The stream ends FLT_OK when the member closed the
 * watch in order, FLT_OUT_OF_RANGE with reason Expired when the version is too old. */
typedef struct flt_watch_batch {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_watch_event_t* const* events;
  uint64_t n_events;
} flt_watch_batch_t;

#define FLT_APPLY_CREATE 0
#define FLT_APPLY_UPDATE 1 /* metadata.resourceVersion in the object is the precondition, if it is there */
#define FLT_APPLY_SSA 2
#define FLT_APPLY_UPSERT 3 /* create, or replace whatever is there */

#define FLT_APPLY_FORCE 1u /* server-side apply takes fields over */
#define FLT_APPLY_DRY_RUN 2u

#define FLT_APPLIED_CREATED 1
#define FLT_APPLIED_UPDATED 2
#define FLT_APPLIED_UNCHANGED 3

typedef struct flt_apply_request {
  uint32_t struct_size;
  uint32_t flags; /* FLT_APPLY_FORCE, FLT_APPLY_DRY_RUN */
  flt_gvr_t gvr;
  flt_str_t ns;
  flt_str_t name;
  flt_bytes_t object; /* JSON with apiVersion and kind */
  int32_t mode;       /* FLT_APPLY_CREATE... */
  uint32_t _pad;
  flt_str_t field_manager;
} flt_apply_request_t;

typedef struct flt_remove_request {
  uint32_t struct_size;
  uint32_t _pad;
  flt_gvr_t gvr;
  flt_str_t ns;
  flt_str_t name;
  flt_str_t uid; /* preconditions; absent: none */
  flt_str_t resource_version;
  flt_str_t propagation; /* Background, Foreground, Orphan; absent: the member's default */
} flt_remove_request_t;

/* logs: a stream of bytes, one byte takes one credit. */
typedef struct flt_logs_request {
  uint32_t struct_size;
  int32_t follow;
  flt_str_t ns;
  flt_str_t pod;
  flt_str_t container;
  int64_t since_seconds; /* 0: all */
  int64_t tail_lines;    /* < 0: all */
} flt_logs_request_t;

typedef struct flt_bytes_batch {
  uint32_t struct_size;
  uint32_t _pad;
  flt_bytes_t bytes;
} flt_bytes_batch_t;

/* open_channel, dial: a connected file descriptor, which is the host's from then on. */
typedef struct flt_fd_result {
  uint32_t struct_size;
  int32_t fd;
} flt_fd_result_t;

typedef struct flt_channel_request {
  uint32_t struct_size;
  uint32_t _pad;
  flt_str_t target;   /* path with query: "/api/v1/namespaces/a/pods/b/exec?command=sh" */
  flt_str_t protocol; /* "websocket", "spdy" */
} flt_channel_request_t;

typedef struct flt_dial_request {
  uint32_t struct_size;
  uint32_t _pad;
  flt_str_t target; /* "host:port" as the endpoint says */
} flt_dial_request_t;

/* request: an HTTP message to the member; see ext/http.h for the same words. */
struct flt_http_request;

/* capacity: one vector per node, the host sums. Quantities as Kubernetes writes them. */
typedef struct flt_capacity_result {
  uint32_t struct_size;
  uint32_t _pad;
  flt_bytes_t summary_json; /* {"nodes": 3, "allocatable": {"cpu": "12"}, "allocated": {...}} */
} flt_capacity_result_t;

/* Req-id: FLT-DRV. All operations complete with the result struct that stands in brackets. */
typedef struct flt_driver_ops {
  uint32_t struct_size;
  uint32_t _pad;

  /* [op] No I/O, returns at once: prepares. Required. Errors: INVALID_ARGUMENT naming what of the reference
   * is broken. */
  flt_status_t (*connect)(void* self, const flt_cluster_ref_t* ref, flt_conn_t** conn, flt_error_t* err);
  /* [op] Ends what still runs on the connection (it completes FLT_CANCELLED, streams end) and frees it
   * when all of it did. The host uses the connection no more. Required. */
  void (*disconnect)(void* self, flt_conn_t* conn);
  /* [control] Rotated credentials for a living connection. Null: the host connects anew. */
  flt_status_t (*credentials_changed)(void* self, flt_conn_t* conn, const flt_cluster_ref_t* ref,
                                      flt_error_t* err);

  /* Level 1. [op] -> flt_fd_result_t: plaintext bytes to and from the API server. */
  void (*dial)(void* self, flt_conn_t* conn, const flt_dial_request_t* request, flt_call_t* call);
  /* Level 2. [op] -> flt_http_response_head_t (ext/http.h); the body comes over `body` as flt_bytes_batch_t.
   */
  void (*request)(void* self, flt_conn_t* conn, const struct flt_http_request* request, flt_stream_t* body,
                  flt_call_t* call);

  /* Level 3. [op] -> flt_probe_result_t. Fails only if it was cancelled: not reachable is an answer. */
  void (*probe)(void* self, flt_conn_t* conn, flt_call_t* call);
  /* [op] -> flt_discover_result_t */
  void (*discover)(void* self, flt_conn_t* conn, flt_call_t* call);
  /* [op] -> flt_object_result_t */
  void (*get)(void* self, flt_conn_t* conn, const flt_get_request_t* request, flt_call_t* call);
  /* [op] -> flt_list_result_t */
  void (*list)(void* self, flt_conn_t* conn, const flt_list_request_t* request, flt_call_t* call);
  /* [op] -> flt_object_result_t: the object as it is there now */
  void (*apply)(void* self, flt_conn_t* conn, const flt_apply_request_t* request, flt_call_t* call);
  /* [op] -> flt_object_result_t, object null when the member did not send it */
  void (*remove)(void* self, flt_conn_t* conn, const flt_remove_request_t* request, flt_call_t* call);
  /* [op] -> null once the watch stands; then batches of flt_watch_batch_t over `stream`. When the call fails
   * the stream must not be touched. */
  void (*watch)(void* self, flt_conn_t* conn, const flt_list_request_t* request, flt_stream_t* stream,
                flt_call_t* call);
  /* [op] -> null; batches of flt_bytes_batch_t. As watch. */
  void (*logs)(void* self, flt_conn_t* conn, const flt_logs_request_t* request, flt_stream_t* stream,
               flt_call_t* call);
  /* [op] -> flt_fd_result_t */
  void (*open_channel)(void* self, flt_conn_t* conn, const flt_channel_request_t* request, flt_call_t* call);
  /* [op] -> flt_capacity_result_t */
  void (*capacity)(void* self, flt_conn_t* conn, flt_call_t* call);
} flt_driver_ops_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_DRIVER_H */
