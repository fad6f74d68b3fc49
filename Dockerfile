# unsway with local models. On a machine without a GPU, --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu saves gigabytes.
# docker build -t unsway . && docker run --rm -it -v "$PWD/runs:/study/runs" unsway demo
FROM python:3.13-slim
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UNSWAY_CACHE=/cache
COPY pyproject.toml constraints.txt README.md LICENSE /src/
COPY unsway /src/unsway
ARG TORCH_INDEX=
RUN pip install -c /src/constraints.txt ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} '/src[local,openvino,hub,offline,report,slides,frame,label]'
RUN useradd --create-home user && mkdir -p /cache /study/runs && chown user /cache /study /study/runs
USER user
WORKDIR /study
VOLUME ["/cache", "/study/runs"]
ENTRYPOINT ["unsway"]
CMD ["--help"]
