"""AWS resources that an alias may point to, with what they resolve to (behaviour 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dnsemu.errors import Origin
from dnsemu.model.types import Type
from dnsemu.model.zone import Value

ALIAS_TYPES = frozenset({Type.A, Type.AAAA, Type.HTTPS})
"""Types of aliases that may point to a resource (4.2); HTTPS only to what has it, and nothing here has."""


_EVERY_POLICY = frozenset({"weighted", "latency", "failover", "geolocation", "geoproximity", "IP-based"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of AWS resource: the TTL in seconds of its records, and what Route 53 lets aliases to it do.

    `evaluated`: whether its health may be evaluated at all (2.3); `private`: whether aliases of private zones may
    point to it; `once`: the policies whose groups have one member that points to such a one (F6, AL12).
    """

    name: str
    ttl: int = 60
    evaluated: bool = True
    private: bool = True
    once: frozenset[str] = frozenset()


_CLOUDFRONT = Kind("CloudFront distribution", 60, evaluated=False, private=False, once=frozenset({"failover"}))
_S3 = Kind("S3 website", 5, once=_EVERY_POLICY)
_OTHER = Kind("resource")
_BY_SUFFIX = (
    (".cloudfront.net", _CLOUDFRONT),
    (".awsglobalaccelerator.com", Kind("Global Accelerator", 300)),
    (".elasticbeanstalk.com", Kind("Elastic Beanstalk environment")),
    (".vpce.amazonaws.com", Kind("VPC interface endpoint")),
    (".vpce.amazonaws.com.cn", Kind("VPC interface endpoint")),
)
_BY_LABEL = (
    (".elb.", Kind("load balancer")),
    (".execute-api.", Kind("API Gateway endpoint")),
)
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in the inventory of a configuration.

    `name` is spelled as `spelled_resource` gives it. Without `health_check_id`, `healthy` is its health.
    """

    name: str
    ttl: int
    values: Mapping[Type, tuple[Value, ...]]
    health_check_id: str | None
    healthy: bool
    origin: Origin


def spelled_resource(name: str) -> str:
    """A resource's name in lower case without what may be left out: its last dot, and `dualstack.` (AL10)."""
    return name.lower().removesuffix(".").removeprefix("dualstack.")


def kind_of(name: str) -> Kind:
    """The kind of resource that a name belongs to, by its spelling."""
    spelled = spelled_resource(name)
    for suffix, kind in _BY_SUFFIX:
        if spelled.endswith(suffix):
            return kind
    if spelled.endswith(_AWS):
        if spelled.startswith(("s3-website-", "s3-website.")) or ".s3-website" in spelled:
            return _S3
        return next((kind for label, kind in _BY_LABEL if label in spelled), _OTHER)
    return _OTHER


def is_aws(name: str) -> bool:
    """Whether a name is one that AWS gives to resources."""
    return spelled_resource(name).endswith((*_AWS, *(suffix for suffix, _ in _BY_SUFFIX)))
