# The studio on any machine with Docker:
#   docker build -t hsc-studio . && docker run --rm -p 7860:7860 hsc-studio
# For an NVIDIA GPU add --gpus all: PyTorch's usual build brings CUDA along, which is most of the
# image. Without a GPU, --build-arg PIP_EXTRA_INDEX_URL=... with the address of PyTorch's builds for
# the CPU makes a small one.
FROM python:3.12-slim

# libgomp1: dlib and PyTorch compute on several threads with it. Its version is not pinned, because
# Debian keeps only the newest.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 studio

WORKDIR /studio
COPY requirements.txt constraints.txt ./
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-cache-dir -r requirements.txt -c constraints.txt

COPY app.py ./
COPY app app
COPY hsc hsc
COPY assets assets
COPY web/dist web/dist

USER 1000
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
EXPOSE 7860
CMD ["python", "app.py"]
