"""AWS resources: how their names are spelled, what kind they are, whose a zone id is (behaviour 2.3, 4.2, 4.5)."""

from __future__ import annotations

import pytest

from dnsemu.app import load_text
from dnsemu.model import alias_zone, is_aws, kind_of, spelled_resource

LB = "web-1.us-east-1.elb.amazonaws.com"
SPELLINGS = [LB, f"{LB}.", LB.upper(), f"dualstack.{LB}", f"Dualstack.{LB.upper()}."]


@pytest.mark.parametrize("written", SPELLINGS)
def test_spellings_of_one_resource(written: str) -> None:
    """AL10"""
    assert spelled_resource(written) == LB


@pytest.mark.parametrize("other", [f"x.dualstack.{LB}", f"dualstack{LB}", f"{LB}.cn", f"dualstack-{LB}"])
def test_names_of_others(other: str) -> None:
    assert spelled_resource(other) != LB


# A name, and of its kind: name, TTL, whether its health may be evaluated, whether private zones may point to it,
# whether two members of a group may not.
KINDS = [
    ("d111111abcdef8.cloudfront.net", "CloudFront distribution", 60, False, False, True),
    ("D111111ABCDEF8.CloudFront.NET.", "CloudFront distribution", 60, False, False, True),
    (LB, "load balancer", 60, True, True, False),
    (f"dualstack.{LB}", "load balancer", 60, True, True, False),
    ("web-1.elb.us-east-1.amazonaws.com", "load balancer", 60, True, True, False),
    ("web-1.cn-north-1.elb.amazonaws.com.cn", "load balancer", 60, True, True, False),
    ("s3-website-us-east-1.amazonaws.com", "S3 website", 5, True, True, True),
    ("s3-website.eu-central-1.amazonaws.com", "S3 website", 5, True, True, True),
    ("s3-website.cn-north-1.amazonaws.com.cn", "S3 website", 5, True, True, True),
    ("a123.awsglobalaccelerator.com", "Global Accelerator", 300, True, True, False),
    ("a123.dualstack.awsglobalaccelerator.com", "Global Accelerator", 300, True, True, False),
    ("d-abc.execute-api.eu-west-1.amazonaws.com", "API Gateway endpoint", 60, True, True, False),
    ("shop.eu-west-1.elasticbeanstalk.com", "Elastic Beanstalk environment", 60, True, True, False),
    ("vpce-1.vpce-svc-2.us-east-1.vpce.amazonaws.com", "VPC interface endpoint", 60, True, True, False),
    ("service.vpc-lattice-svcs.us-east-1.on.aws", "resource", 60, True, True, False),
    ("cloudfront.net.example.com", "resource", 60, True, True, False),
    ("notcloudfront.net", "resource", 60, True, True, False),
    ("s3-website.example.com", "resource", 60, True, True, False),
    ("elb.example.com", "resource", 60, True, True, False),
]


@pytest.mark.parametrize(("name", "kind", "ttl", "evaluated", "private", "once"), KINDS)
def test_kind(name: str, kind: str, ttl: int, evaluated: bool, private: bool, once: bool) -> None:
    found = kind_of(name)
    assert (found.name, found.ttl) == (kind, ttl)
    assert (found.evaluated, found.private, bool(found.once)) == (evaluated, private, once)


@pytest.mark.parametrize("name", [row[0] for row in KINDS if row[1] != "resource"] + ["x.s3.amazonaws.com"])
def test_names_that_aws_gives(name: str) -> None:
    assert is_aws(name)


@pytest.mark.parametrize("name", ["", "www", "example.com", "amazonaws.com.example.net", "myamazonaws.com"])
def test_names_that_aws_does_not_give(name: str) -> None:
    assert not is_aws(name)


@pytest.mark.parametrize(("written", "ttl"), [("", 5), (", ttl: 0", 0), (", ttl: 7", 7)])
def test_a_ttl_that_is_written_counts(written: str, ttl: int) -> None:
    text = f"version: 1\ndnsemu:\n  alias_targets: [{{name: S3-Website-us-east-1.amazonaws.com.{written}}}]\n"
    (resource,) = load_text(text).configuration.resources.values()
    assert (resource.name, resource.ttl) == ("s3-website-us-east-1.amazonaws.com", ttl)


@pytest.mark.parametrize(("written", "healthy"), [("", True), (", healthy: true", True), (", healthy: false", False)])
def test_a_resource_is_healthy_unless_it_says_otherwise(written: str, healthy: bool) -> None:
    text = f"version: 1\ndnsemu:\n  alias_targets: [{{name: {LB}{written}}}]\n"
    assert load_text(text).configuration.resources[LB].healthy is healthy


ZONE_IDS = [
    ("Z2FDTNDATAQYW2", "a CloudFront distribution"),
    ("Z3RFFRIM2A3IF5", "a CloudFront distribution in China"),
    ("Z2BJ6XQ5FK7U4H", "a Global Accelerator"),
    ("Z35SXDOTRQ7X7K", "an Application or Classic Load Balancer in us-east-1"),
    ("Z2IFOLAFXWLO4F", "a Network Load Balancer in eu-west-1"),
    ("Z21DNDUVLTQW6Q", "an S3 website in eu-central-1"),
    ("ZLY8HYME6SFDD", "a regional API Gateway endpoint in eu-west-1"),
    ("Z7HUB22UULQXV", "a VPC interface endpoint in us-east-1"),
    ("Z117KPS5GTRQ2G", "an Elastic Beanstalk environment in us-east-1"),
    ("Z01144401H1NECCLJDD4D", "an Elastic Beanstalk environment in ap-southeast-6"),  # after columns without an id
    ("Z2KTO3AEXAMPLE", ""),
    ("-", ""),
    ("", ""),
]


@pytest.mark.parametrize(("zone_id", "owner"), ZONE_IDS)
def test_whose_a_zone_id_is(zone_id: str, owner: str) -> None:
    assert alias_zone(zone_id) == owner
