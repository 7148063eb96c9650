# SPDX-License-Identifier: MIT
"""The C interface: every exported function, the structs, the constants.

``call.queue_push`` keeps the interpreter's lock during the call and is for
what never waits; ``wait.ring_set`` releases it.  Both are the same function of
the library with argument and result types set.

A signature is a letter for the result, a space, and a letter an argument:
v void, i girt_status, enum or int, b bool, I unsigned or uint32_t, q int64_t,
Q uint64_t, z size_t, d double, s a C string, P any pointer, R a girt_rate.
tests/python/test_binding.py compares this file with the headers.
"""

from __future__ import annotations

import ctypes
from ctypes import (CFUNCTYPE, Structure, c_bool, c_char_p, c_double, c_int,
                    c_int64, c_size_t, c_uint, c_uint32, c_uint64, c_void_p)
from typing import Any

from . import _library

FOREVER = 2 ** 63 - 1
KEYED_LIMITER_KEY_MAX = 65536
RING_NAME_MAX = 255
BREAKER_PROBES_MAX = 1024
BULKHEAD_MAX = 2 ** 31 - 1
TAKE_ALL_MAX = 32
RATE_LIMIT_MAX = 2 ** 62
RATE_BURST_MAX = 2 ** 59
METRICS_SERIES_MAX = 1_000_000
HISTOGRAM_MAX = 2 ** 42

MAP_KEEP, MAP_STORE, MAP_REMOVE = 0, 1, 2
SUCCESS, FAILURE, IGNORED = 0, 1, 2
RING_KINDS = ("native", "ketama", "maglev", "rendezvous", "jump")
CACHE_POLICIES = ("default", "s3fifo", "sieve", "lru", "tinylfu")
BREAKER_STATES = ("closed", "open", "half_open", "forced_open",
                  "forced_closed")


class Rate(Structure):
    """girt_rate"""
    _fields_ = [("limit", c_uint64), ("period_ns", c_int64),
                ("burst", c_uint64)]


class Keys(Structure):
    """girt_keys"""
    _fields_ = [("bytes", c_char_p), ("size", c_size_t), ("sizes", c_void_p),
                ("count", c_size_t)]


class Clock(Structure):
    """girt_clock"""
    _fields_ = [("now_ns", c_void_p), ("context", c_void_p)]


class Decision(Structure):
    """girt_decision"""
    _fields_ = [("status", c_int), ("remaining", c_uint64),
                ("retry_after_ns", c_int64), ("reset_after_ns", c_int64)]


class Reservation(Structure):
    """girt_reservation"""
    _fields_ = [("act_at_ns", c_int64), ("tokens", c_uint64),
                ("opaque", c_uint64 * 2)]


class Permit(Structure):
    """girt_permit"""
    _fields_ = [("generation", c_uint64), ("start_ns", c_int64)]


class Node(Structure):
    """girt_node"""
    _fields_ = [("name", c_char_p), ("weight", c_uint32)]


class Cached(Structure):
    """girt_cached"""
    _fields_ = [("data", c_void_p), ("size", c_size_t), ("stale", c_bool),
                ("pin", c_void_p)]


class Loaded(Structure):
    """girt_loaded"""
    _fields_ = [("data", c_void_p), ("size", c_size_t), ("ttl_ns", c_int64),
                ("release", c_void_p)]


class CacheStats(Structure):
    """girt_cache_stats"""
    _fields_ = [(name, c_uint64) for name in (
        "hits", "misses", "stale_hits", "loads", "load_failures", "joined",
        "evictions", "expirations", "entries", "bytes")] + [
        ("reserved", c_uint64 * 6)]


_TAIL: list[tuple[str, Any]] = [
    ("name", c_char_p), ("metrics", c_void_p), ("allocator", c_void_p),
    ("reserved", c_uint64 * 4)]

QUEUE_DROPPED = CFUNCTYPE(None, c_void_p, c_void_p)


class QueueOptions(Structure):
    """girt_queue_options"""
    _fields_ = [
        ("capacity", c_size_t), ("single_producer", c_bool),
        ("single_consumer", c_bool), ("per_producer_order", c_bool),
        ("bands", c_uint), ("drop_oldest", c_bool),
        ("dropped", QUEUE_DROPPED), ("context", c_void_p),
        ("traced", c_bool)] + _TAIL


MAP_UPDATE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_bool)
MAP_SEE = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_size_t, c_void_p)


class MapOptions(Structure):
    """girt_map_options"""
    _fields_ = [("value_size", c_size_t), ("expected", c_size_t),
                ("shards", c_size_t), ("seed", c_uint64)] + _TAIL


class LimiterOptions(Structure):
    """girt_limiter_options"""
    _fields_ = [("rate", Rate), ("clock", Clock), ("lease", c_uint64)] + _TAIL


class KeyedLimiterOptions(Structure):
    """girt_keyed_limiter_options"""
    _fields_ = [("rate", Rate), ("clock", Clock), ("keys", c_size_t),
                ("when_full", c_int), ("admit_when_full", c_bool)] + _TAIL


BREAKER_CHANGE = CFUNCTYPE(None, c_void_p, c_int, c_int)


class BreakerOptions(Structure):
    """girt_breaker_options"""
    _fields_ = [
        ("failure_ratio", c_double), ("slow_ratio", c_double),
        ("slow_ns", c_int64), ("calls_min", c_uint64),
        ("window_ns", c_int64), ("open_ns", c_int64),
        ("open_max_ns", c_int64), ("probes", c_uint64),
        ("permit_timeout_ns", c_int64), ("on_change", BREAKER_CHANGE),
        ("context", c_void_p), ("clock", Clock)] + _TAIL


class BulkheadOptions(Structure):
    """girt_bulkhead_options"""
    _fields_ = [("inside_max", c_uint64), ("waiting_max", c_uint64)] + _TAIL


class RingOptions(Structure):
    """girt_ring_options"""
    _fields_ = [("kind", c_int), ("points_per_weight", c_uint32),
                ("maglev_size", c_uint32), ("bound", c_double),
                ("seed", c_uint64)] + _TAIL


CACHE_LOADER = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t, c_void_p)


class CacheOptions(Structure):
    """girt_cache_options"""
    _fields_ = [
        ("bytes_max", c_size_t), ("entries_max", c_size_t),
        ("ttl_ns", c_int64), ("stale_ns", c_int64),
        ("missing_ttl_ns", c_int64), ("policy", c_int),
        ("shards", c_size_t), ("on_evict", c_void_p),
        ("context", c_void_p), ("clock", Clock), ("seed", c_uint64)] + _TAIL


METRICS_FORMATS = ("prometheus", "openmetrics")
METRICS_WRITE = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_size_t)


SIGNATURES = {
    # status.h version.h
    "girt_status_name": "s i",
    "girt_status_text": "s i",
    "girt_version": "s ",
    # alloc.h
    "girt_allocator_jemalloc_arena": "i P",
    "girt_allocator_bytes": "i PP",
    # clock.h hash.h
    "girt_clock_manual": "v PP",
    "girt_hash": "Q PzQ",
    # epoch.h
    "girt_epoch_enter": "v ",
    "girt_epoch_exit": "v ",
    "girt_epoch_retire": "v PP",
    "girt_epoch_barrier": "v ",
    # spsc.h
    "girt_spsc_create": "i PzP",
    "girt_spsc_destroy": "v P",
    "girt_spsc_push": "b PP",
    "girt_spsc_pop": "b PP",
    "girt_spsc_push_n": "z PPz",
    "girt_spsc_pop_n": "z PPz",
    "girt_spsc_count": "z P",
    "girt_spsc_capacity": "z P",
    # mpmc.h
    "girt_mpmc_create": "i PzP",
    "girt_mpmc_destroy": "v P",
    "girt_mpmc_push": "b PP",
    "girt_mpmc_pop": "b PP",
    "girt_mpmc_push_n": "z PPz",
    "girt_mpmc_pop_n": "z PPz",
    "girt_mpmc_count": "z P",
    "girt_mpmc_capacity": "z P",
    # queue.h
    "girt_queue_create": "i PP",
    "girt_queue_destroy": "v P",
    "girt_queue_push": "i PPq",
    "girt_queue_pop": "i PPq",
    "girt_queue_push_band": "i PIPq",
    "girt_queue_push_n": "i PPzqP",
    "girt_queue_pop_n": "i PPzqP",
    "girt_queue_close": "v P",
    "girt_queue_count": "z P",
    "girt_queue_capacity": "z P",
    "girt_queue_fd": "i PP",
    # deque.h
    "girt_deque_create": "i PzP",
    "girt_deque_destroy": "v P",
    "girt_deque_push": "b PP",
    "girt_deque_pop": "b PP",
    "girt_deque_steal": "b PP",
    # workers.h
    "girt_workers_create": "i PP",
    "girt_workers_submit": "i PPPq",
    "girt_workers_drain": "i Pq",
    "girt_workers_destroy": "v P",
    # map.h
    "girt_map_create": "i PP",
    "girt_map_destroy": "v P",
    "girt_map_get": "i PPzP",
    "girt_map_view": "i PPzPP",
    "girt_map_put": "i PPzP",
    "girt_map_add": "i PPzP",
    "girt_map_remove": "i PPzP",
    "girt_map_update": "i PPzPP",
    "girt_map_count": "z P",
    "girt_map_bytes": "z P",
    "girt_map_each": "i PPP",
    # map64.h
    "girt_map64_create": "i PzP",
    "girt_map64_destroy": "v P",
    "girt_map64_get": "i PQP",
    "girt_map64_put": "i PQQ",
    "girt_map64_add": "i PQQ",
    "girt_map64_remove": "i PQP",
    "girt_map64_exchange": "i PQQQ",
    "girt_map64_increase": "i PQQP",
    "girt_map64_get_n": "z PPPPz",
    "girt_map64_count": "z P",
    "girt_map64_bytes": "z P",
    "girt_map64_each": "i PPP",
    "girt_map64_report": "i PPs",
    # metrics.h
    "girt_metrics_create": "i PP",
    "girt_metrics_destroy": "v P",
    "girt_metrics_set_series_max": "i Pz",
    "girt_counter_create": "i PPssP",
    "girt_counter_add": "v PQ",
    "girt_counter_value": "Q P",
    "girt_gauge_create": "i PPssP",
    "girt_gauge_set": "v Pd",
    "girt_gauge_add": "v Pd",
    "girt_gauge_value": "d P",
    "girt_histogram_create": "i PPssP",
    "girt_histogram_record": "v PQ",
    "girt_histogram_quantile": "Q Pd",
    "girt_histogram_count": "Q P",
    "girt_histogram_merge": "i PP",
    "girt_metrics_write": "i PiPP",
    # limiter.h
    "girt_limiter_create": "i PP",
    "girt_limiter_destroy": "v P",
    "girt_limiter_take": "i PQP",
    "girt_limiter_take_at": "i PQqP",
    "girt_limiter_peek": "i PQP",
    "girt_limiter_wait": "i PQq",
    "girt_limiter_reserve": "i PQqP",
    "girt_limiter_cancel": "v PP",
    "girt_limiter_set_rate": "i PR",
    "girt_limiter_take_all": "i PzQPP",
    "girt_decision_headers": "z PPPz",
    # trace.h
    "girt_tracer_create": "i PP",
    "girt_tracer_destroy": "v P",
    "girt_tracer_write": "i PiPP",
    "girt_tracer_read_stats": "v PP",
    "girt_span_start": "v PPsP",
    "girt_span_set_kind": "v Pi",
    "girt_span_set_int": "v Psq",
    "girt_span_set_double": "v Psd",
    "girt_span_set_text": "v Pssz",
    "girt_span_fail": "v P",
    "girt_span_end": "v P",
    "girt_trace_current": "b P",
    "girt_trace_attach": "v PP",
    "girt_trace_received": "b P",
    "girt_traceparent_parse": "i szP",
    "girt_traceparent_write": "i Ps",
    "girt_tracestate_parse": "i Psz",
    "girt_tracestate_get": "i PsPP",
    "girt_tracestate_set": "i Pss",
    # keyed_limiter.h
    "girt_keyed_limiter_create": "i PP",
    "girt_keyed_limiter_destroy": "v P",
    "girt_keyed_limiter_take": "i PPzQP",
    "girt_keyed_limiter_take_at": "i PPzQqP",
    "girt_keyed_limiter_take_keys": "i PPQPP",
    "girt_keyed_limiter_take_n": "z PPz",
    "girt_keyed_limiter_take_n_at": "z PPzq",
    # shared.h
    "girt_shared_create": "i PszI",
    "girt_shared_open": "i Ps",
    "girt_shared_close": "v P",
    "girt_shared_unlink": "i s",
    "girt_limiter_shared": "i PPsP",
    "girt_keyed_limiter_shared": "i PPsP",
    "girt_metrics_shared": "i PPs",
    # channel.h
    "girt_channel_open": "i PPszz",
    "girt_channel_close": "v P",
    "girt_channel_send": "i PPzq",
    "girt_channel_receive": "i PPzPq",
    "girt_channel_send_n": "i PPzqP",
    "girt_channel_receive_n": "i PPzqPP",
    # breaker.h
    "girt_breaker_create": "i PP",
    "girt_breaker_destroy": "v P",
    "girt_breaker_enter": "i PP",
    "girt_breaker_leave": "v PPi",
    "girt_breaker_state_now": "i P",
    "girt_breaker_force": "v Pi",
    # bulkhead.h
    "girt_bulkhead_create": "i PP",
    "girt_bulkhead_destroy": "v P",
    "girt_bulkhead_enter": "i Pq",
    "girt_bulkhead_leave": "v P",
    # call.h
    "girt_call": "i PPPP",
    # concurrency.h
    "girt_concurrency_create": "i PP",
    "girt_concurrency_destroy": "v P",
    "girt_concurrency_enter": "i PP",
    "girt_concurrency_leave": "v PPi",
    "girt_concurrency_limit": "Q P",
    # retry.h
    "girt_retry_budget_create": "i PP",
    "girt_retry_budget_destroy": "v P",
    "girt_retry_budget_call": "v P",
    "girt_retry_budget_take": "i P",
    "girt_backoff_ns": "q qqIP",
    # shed.h
    "girt_shed_create": "i PP",
    "girt_shed_destroy": "v P",
    "girt_shed_admit": "i PI",
    "girt_shed_observe": "v Pq",
    # ring.h
    "girt_ring_create": "i PP",
    "girt_ring_destroy": "v P",
    "girt_ring_set": "i PPz",
    "girt_ring_add": "i PsI",
    "girt_ring_remove": "i Ps",
    "girt_ring_find": "i PPzP",
    "girt_ring_find_n": "i PPzPP",
    "girt_ring_find_keys": "i PPP",
    "girt_ring_acquire": "i PPzP",
    "girt_ring_release": "v PI",
    "girt_ring_name": "i PIPz",
    "girt_ring_count": "z P",
    "girt_ring_share": "d Ps",
    # cache.h
    "girt_cache_create": "i PP",
    "girt_cache_destroy": "v P",
    "girt_cache_get": "i PPzP",
    "girt_cache_release": "v PP",
    "girt_cache_put": "i PPzPzq",
    "girt_cache_load": "i PPzPPqP",
    "girt_cache_remove": "i PPz",
    "girt_cache_clear": "v P",
    "girt_cache_set_jitter": "i Pd",
    "girt_cache_read_stats": "v PP",
    "girt_cache_save": "i Pi",
    "girt_cache_restore": "i Pi",
}

#: Exported objects that are no functions; layout guards are not listed.
DATA = ("girt_clock_monotonic", "girt_clock_coarse")

_TYPES: dict[str, Any] = {
    "v": None, "i": c_int, "b": c_bool, "I": c_uint32, "q": c_int64,
    "Q": c_uint64, "z": c_size_t, "d": c_double, "s": c_char_p,
    "P": c_void_p, "R": Rate}


def _absent(name: str) -> Any:
    def missing(*_: Any) -> Any:
        raise NotImplementedError(f"this libgirt has no {name}")
    return missing


class Functions:
    """The functions of one opened library, by name without ``girt_``."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, signature in SIGNATURES.items():
            result, arguments = signature.split(" ")
            try:
                function: Any = getattr(library, name)
            except AttributeError:
                function = _absent(name)
            else:
                function.restype = _TYPES[result]
                function.argtypes = [_TYPES[letter] for letter in arguments]
            setattr(self, name[len("girt_"):], function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


call = Functions(_library.quick)
wait = Functions(_library.patient)
