# unsway with local models. On a machine without a GPU, --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu saves gigabytes.
# docker build -t unsway . && mkdir -p runs
# docker run --rm -it --user "$(id -u):$(id -g)" -v "$PWD/runs:/study/runs" -v unsway-cache:/cache unsway demo
FROM python:3.13-slim
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UNSWAY_CACHE=/cache
COPY pyproject.toml constraints.txt /src/
ARG TORCH_INDEX=
# Dependencies are installed with an empty package, in their own layer, which is reused when only the code changes.
RUN mkdir /src/unsway && touch /src/unsway/__init__.py /src/README.md /src/LICENSE && pip install -c /src/constraints.txt \
    ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} '/src[local,openvino,hub,offline,report,slides,frame,label]'
COPY README.md LICENSE /src/
COPY unsway /src/unsway
RUN pip install --no-deps --force-reinstall /src
# Anyone may write here, so --user can be the owner of the mounted folder, who has no home or name in the image.
RUN useradd --create-home user && mkdir -p /cache /study/runs && chmod 1777 /cache /study /study/runs /home/user
ENV HOME=/home/user USER=user
USER user
WORKDIR /study
# Without it `docker stop` kills after ten seconds, because the first process of a container ignores SIGTERM unless it handles it.
STOPSIGNAL SIGINT
VOLUME ["/cache", "/study/runs"]
ENTRYPOINT ["unsway"]
CMD ["--help"]
