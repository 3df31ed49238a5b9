# One file, three targets: web (no torch), worker-cpu, worker-gpu. See docker-compose.yml.

FROM python:3.11-slim AS dependencies
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/penchant
RUN useradd --create-home --uid 1000 penchant && install -d -o penchant -g penchant /var/lib/penchant /var/lib/penchant/models
ENV PENCHANT_HOME=/var/lib/penchant
COPY pyproject.toml constraints.txt ./
# Dependencies before code: a change of code does not install them again.
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt

FROM dependencies AS worker-dependencies
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['worker'], sep='\n')" > worker-requirements.txt

FROM worker-dependencies AS cpu-dependencies
RUN pip install --no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.13.0 \
    && pip install -c constraints.txt -r worker-requirements.txt

# With what a preset may ask for: a compiler for `compile`, torchao for `quantize`.
FROM worker-dependencies AS gpu-dependencies
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['quantize'], sep='\n')" >> worker-requirements.txt
RUN pip install torch==2.13.0 \
    && pip install -c constraints.txt -r worker-requirements.txt

FROM dependencies AS web
COPY . .
RUN pip install --no-deps -e .
USER penchant
EXPOSE 8000
CMD ["penchant", "up", "--workers", "0"]

FROM cpu-dependencies AS worker-cpu
COPY . .
RUN pip install --no-deps -e .
USER penchant
CMD ["python", "-m", "worker.main"]

FROM gpu-dependencies AS worker-gpu
COPY . .
RUN pip install --no-deps -e .
USER penchant
CMD ["python", "-m", "worker.main"]
