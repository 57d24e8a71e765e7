# Kausa's images. `make images` builds them with whatever is there; by hand:
#
#   docker build --target operator --tag kausa/operator .
#   docker build --target embedder --build-context models="$HOME/.cache/kausa/models" --tag kausa/embedder .
#
# BASE_IMAGE   what the images stand on: Python at /usr/bin/python3, libstdc++ and certificates. It needs
#              no shell and no pip.
# BUILD_IMAGE  where they are put together: the same minor version of Python, with pip and `strip`. Nothing
#              of it stays.
# MODEL        the embedding model that is baked in, a folder of the context `models` (`make embedded-models`
#              fills it) that has the model's name.
# wheels       a context with all packages, for a build without a network; without it pip asks the index.
#
# Every Python package is pinned by its hash. To pin the bases, too, name them with their digests.
#
# Not tried: embedder-gpu. It was never built or run, for want of a machine with a GPU that can fetch its packages.
ARG BASE_IMAGE=gcr.io/distroless/python3-debian12:nonroot
ARG BUILD_IMAGE=docker.io/library/python:3.11-bookworm

# Empty, unless contexts of these names are handed in.
FROM scratch AS wheels
FROM scratch AS models

FROM ${BUILD_IMAGE} AS operator-build
WORKDIR /src
COPY hack/images/assemble.py hack/images/
COPY requirements/build-image.txt requirements/operator-image.txt requirements/
COPY --from=wheels / /wheels/
RUN ["python3", "hack/images/assemble.py", "packages", "--wheels", "/wheels", "--target", "/opt/kausa", "--requirements", "requirements/operator-image.txt"]
COPY LICENSE README.md pyproject.toml ./
COPY embedder/kausa_embedder embedder/kausa_embedder
COPY operator/kausa operator/kausa
RUN ["python3", "hack/images/assemble.py", "own", "--source", "/src", "--wheels", "/wheels", "--target", "/opt/kausa", "--requirements", "requirements/build-image.txt", "--entry", "kausa=kausa.cli:main"]

FROM ${BUILD_IMAGE} AS embedder-build
WORKDIR /src
COPY hack/images/assemble.py hack/images/
COPY requirements/build-image.txt requirements/embedder.txt requirements/
COPY --from=wheels / /wheels/
RUN ["python3", "hack/images/assemble.py", "packages", "--wheels", "/wheels", "--target", "/opt/kausa", "--requirements", "requirements/embedder.txt"]
COPY LICENSE README.md pyproject.toml ./
COPY embedder/kausa_embedder embedder/kausa_embedder
RUN ["python3", "hack/images/assemble.py", "own", "--source", "/src", "--wheels", "/wheels", "--target", "/opt/kausa", "--requirements", "requirements/build-image.txt", "--entry", "kausa-embedder=kausa_embedder.cli:main"]

FROM ${BUILD_IMAGE} AS embedder-gpu-build
WORKDIR /src
COPY hack/images/assemble.py hack/images/
COPY requirements/build-image.txt requirements/embedder-gpu-image.txt requirements/
COPY --from=wheels / /wheels/
RUN ["python3", "hack/images/assemble.py", "packages", "--wheels", "/wheels", "--target", "/opt/kausa", "--requirements", "requirements/embedder-gpu-image.txt"]
COPY LICENSE README.md pyproject.toml ./
COPY embedder/kausa_embedder embedder/kausa_embedder
RUN ["python3", "hack/images/assemble.py", "own", "--source", "/src", "--wheels", "/wheels", "--target", "/opt/kausa", "--requirements", "requirements/build-image.txt", "--entry", "kausa-embedder=kausa_embedder.cli:main"]

# ---------------------------------------------------------------------------------------------------

FROM ${BASE_IMAGE} AS operator
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Kausa operator" \
      org.opencontainers.image.description="The cause of every Kubernetes failure, as a resource" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=operator-build /opt/kausa /opt/kausa
ENV PATH=/opt/kausa/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_STATE_HOME=/var/lib
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["/opt/kausa/bin/kausa"]
CMD ["run"]

# ONNX Runtime and the hub's client would report to their makers, each where nobody told it not to.
FROM ${BASE_IMAGE} AS embedder
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG MODEL=all-MiniLM-L6-v2-w8a8
LABEL org.opencontainers.image.title="Kausa embedder" \
      org.opencontainers.image.description="Turns texts into vectors, over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=embedder-build /opt/kausa /opt/kausa
COPY --from=models /${MODEL} /opt/models/${MODEL}
ENV PATH=/opt/kausa/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    ORT_DISABLE_TELEMETRY=1 \
    KAUSA_EMBEDDER_CACHE=/opt/models \
    KAUSA_EMBEDDER_MODEL=${MODEL}
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["/opt/kausa/bin/kausa-embedder"]
CMD ["serve"]

# CUDA and cuDNN come as Python packages, the driver from the node's container runtime.
FROM ${BASE_IMAGE} AS embedder-gpu
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG MODEL=all-MiniLM-L6-v2-w8a8
LABEL org.opencontainers.image.title="Kausa embedder for GPUs" \
      org.opencontainers.image.description="Turns texts into vectors on a GPU, over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=embedder-gpu-build /opt/kausa /opt/kausa
COPY --from=models /${MODEL} /opt/models/${MODEL}
ENV PATH=/opt/kausa/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    ORT_DISABLE_TELEMETRY=1 \
    LD_LIBRARY_PATH=/opt/kausa/lib/python3.11/site-packages/nvidia/cu13/lib:/opt/kausa/lib/python3.11/site-packages/nvidia/cudnn/lib \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    KAUSA_EMBEDDER_CACHE=/opt/models \
    KAUSA_EMBEDDER_MODEL=${MODEL}
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["/opt/kausa/bin/kausa-embedder"]
CMD ["serve"]
