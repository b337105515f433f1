# thetabulk and a Java that the Theta Terminal runs on (>= 21, so Debian 13). The Terminal itself is not in the image:
# its jar lies in a volume, and is fetched by an explicit `terminal fetch`. How to use it: docs/container.md.
FROM python:3.13-slim-trixie AS build
WORKDIR /source
RUN python3 -m venv /opt/thetabulk
COPY requirements.lock ./
RUN /opt/thetabulk/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY thetabulk thetabulk
RUN /opt/thetabulk/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim-trixie
# The versions follow Debian's stable release, whose updates are security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-21-jre-headless tini \
    && rm -rf /var/lib/apt/lists/*
ARG UID=1000
ARG GID=1000
RUN groupadd --gid "${GID}" thetabulk \
    && useradd --uid "${UID}" --gid "${GID}" --no-create-home --home-dir /state --shell /usr/sbin/nologin thetabulk \
    && install --directory --owner "${UID}" --group "${GID}" --mode 0700 /state /terminal /store
COPY --from=build /opt/thetabulk /opt/thetabulk
ENV PATH=/opt/thetabulk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/state \
    XDG_STATE_HOME=/state \
    XDG_CONFIG_HOME=/state \
    THETABULK_STORE_PATH=/store \
    THETABULK_TERMINAL_JAR=/terminal/ThetaTerminalv3.jar \
    THETABULK_TERMINAL_CREDENTIALS=/run/secrets/thetadata
USER ${UID}:${GID}
WORKDIR /state
VOLUME ["/store", "/terminal", "/state"]
# The first signal drains: transfers in flight are finished, their days committed. Give it time (compose.yaml).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=10m --retries=3 CMD ["thetabulk", "doctor", "--quick"]
ENTRYPOINT ["tini", "--", "thetabulk"]
CMD ["update", "--wait", "--manage-terminal"]
