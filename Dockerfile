# A small image of Neraca: no compiler, no package tool, no root. It holds exactly what requirements-scaled.lock pins.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src

# Packages first, since they change less often than the program. Wheels alone: nothing is compiled or fetched unpinned.
COPY requirements.lock requirements-scaled.lock ./
RUN python -m venv --without-pip /opt/neraca \
 && python -m pip --python /opt/neraca/bin/python install --only-binary :all: --require-hashes -r requirements-scaled.lock \
 && python -m pip install --only-binary :all: --require-hashes -r requirements.lock

# The program's wheel is built here, by the build tool that requirements.lock pins.
COPY . .
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python -m pip --python /opt/neraca/bin/python install --no-deps --no-index /wheels/neraca-*.whl \
 && /opt/neraca/bin/python -m compileall -q /opt/neraca/lib

FROM python:3.13-slim
RUN python -m pip uninstall --yes --root-user-action ignore pip \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin neraca \
 && install --directory --mode 0700 --owner 10001 /var/lib/neraca
COPY --from=build /opt/neraca /opt/neraca
ENV PATH=/opt/neraca/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /tmp
ENTRYPOINT ["neraca"]
