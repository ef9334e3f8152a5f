# The dashboard in a container. Written to be true, checked with hadolint, not run where Hilum is developed.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    HILUM_CACHE=/tmp/hilum

WORKDIR /opt/hilum
COPY requirements.txt requirements-pacs.txt requirements-fonts.txt requirements.lock ./
RUN pip install --constraint requirements.lock --requirement requirements.txt --requirement requirements-pacs.txt \
    --requirement requirements-fonts.txt

COPY . .
RUN useradd --create-home --uid 10001 hilum
USER 10001

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
# Inside the container all addresses are the container's own; compose.yaml publishes the port on the host's loopback only.
CMD ["streamlit", "run", "dashboard.py", "--server.address=0.0.0.0", "--server.headless=true"]
