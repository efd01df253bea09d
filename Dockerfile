# The first stage builds the wheel and a virtual environment. Only that environment goes into the image.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY dnsemu dnsemu
RUN python -m venv --without-pip /opt/dnsemu \
 && pip wheel --quiet --no-deps --wheel-dir /wheels . \
 && pip --python /opt/dnsemu install --quiet /wheels/*.whl
# Files keep the mode they have in the checkout, and there nobody but its owner may be allowed to read them.
COPY zones /etc/dnsemu
RUN chmod -R a+rX /etc/dnsemu

# The same base: the environment's interpreter is a link to the one of the base.
FROM python:3.12-slim
RUN useradd --uid 5353 --user-group --no-create-home --home-dir /nonexistent --shell /bin/false dnsemu
COPY --from=build /opt/dnsemu /opt/dnsemu
COPY --from=build /etc/dnsemu /etc/dnsemu
ENV PATH=/opt/dnsemu/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# A number, not a name: Kubernetes (runAsNonRoot) can not tell who a name is.
#
# Port 53 without root or a capability: Docker (since 20.10) sets net.ipv4.ip_unprivileged_port_start=0
# in each container that has a network of its own. Where it is refused all the same, set it yourself:
#     docker run --sysctl net.ipv4.ip_unprivileged_port_start=0 …
# as docker-compose.yml does, or listen on a high port. No file capability: it would have to be on the
# interpreter that all programs share, and no-new-privileges would switch it off.
USER 5353:5353
EXPOSE 53/udp 53/tcp 8053/tcp
STOPSIGNAL SIGTERM

# One DNS question to itself. No --start-interval here: older Dockers and Podman can not build with it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["dnsemu", "healthcheck", "--server", "127.0.0.1:53"]

# 0.0.0.0 is right here: the published ports decide who comes in. Who replaces CMD must say it again, since
# without --listen dnsemu takes 127.0.0.1:5300, which nothing outside the container reaches.
ENTRYPOINT ["dnsemu"]
CMD ["serve", "/etc/dnsemu", "--listen", "0.0.0.0:53", "--http", "0.0.0.0:8053"]
