# One image for web, worker, scheduler and migrations; only the command differs.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --require-hashes --requirement requirements.txt

FROM python:3.12-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/srv/cloudconsole/var
RUN useradd --system --uid 10001 --no-create-home cloudconsole
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/cloudconsole
COPY manage.py requirements.txt ./
COPY cloudconsole cloudconsole
COPY accounts accounts
COPY audit audit
COPY costs costs
COPY expenses expenses
COPY gateway gateway
COPY resources resources
COPY static static
COPY templates templates
# The keys of this one step sign and encrypt nothing that stays.
RUN SECRET_KEY=build FERNET_KEYS=build AUDIT_KEY=build python manage.py collectstatic --no-input --verbosity 0 \
    && mkdir var/audit && chown cloudconsole var/audit
USER cloudconsole
EXPOSE 8000
# Asked by a name that it answers to: any other is refused, healthy or not.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import os; from urllib.request import Request, urlopen; name = os.environ.get('ALLOWED_HOSTS', '').split(',')[0].strip().lstrip('*.') or 'localhost'; urlopen(Request('http://127.0.0.1:8000/healthz', headers={'Host': name}), timeout=4)"]
CMD ["uvicorn", "cloudconsole.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--no-proxy-headers", "--no-access-log", "--timeout-graceful-shutdown", "20"]
