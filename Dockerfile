# The hub in a container: the API and every consumer are this one image with another command.
#
#   docker build -t caspian-hub:0.1.0 .
#   docker run --rm --read-only --tmpfs /tmp caspian-hub:0.1.0 --help
#
# Every package is checked against a hash of the lock files; nothing is compiled here.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/caspian
COPY requirements-run.lock ./
RUN pip --python /opt/caspian/bin/python install \
      --no-deps --require-hashes --only-binary :all: -r requirements-run.lock
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY schemas schemas
COPY hub hub
COPY consumers consumers
# The build's own tools are held to the hashes of the lock as well (pip >= 25.3).
RUN pip wheel --no-deps --build-constraint requirements.lock --wheel-dir /dist . \
 && pip --python /opt/caspian/bin/python install --no-deps --no-index /dist/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Caspian Hub" \
      org.opencontainers.image.licenses="Apache-2.0"
# A fixed number: a volume or a secret on the host can be given to it.
RUN groupadd --gid 10001 caspian \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/caspian --create-home \
      --shell /usr/sbin/nologin caspian
COPY --from=build /opt/caspian /opt/caspian
ENV PATH=/opt/caspian/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CASPIAN_HOST=0.0.0.0 \
    CASPIAN_LOG_FORMAT=json \
    CASPIAN_DATA=/var/lib/caspian \
    CASPIAN_LOG_URL=sqlite:////var/lib/caspian/log.db
USER 10001:10001
WORKDIR /var/lib/caspian
# The only place that is written to, and only where the log is in SQLite.
VOLUME /var/lib/caspian
EXPOSE 8080
STOPSIGNAL SIGTERM
# For the API. A consumer has no door to knock at: docker-compose.yml asks its metrics page.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('CASPIAN_PORT', '8080') + '/readyz', timeout=4)"]
ENTRYPOINT ["caspian"]
CMD ["serve"]
