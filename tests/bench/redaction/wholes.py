"""Secrets inside a text of a known form: connection strings, headers, commands, files."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Callable
from random import Random

from bench.redaction.named import password
from bench.redaction.secret import ALNUM, BASE64, HEX, URLSAFE, Maker, Secret, Shown, draw

__all__ = ["WHOLES"]

_HOST = "db.shop.svc.cluster.local"
_Form = Callable[[str], str]


def _whole(kind: str, *forms: _Form, names: tuple[str, ...] = ()) -> Maker:
    """A password in one of these forms."""

    def maker(rng: Random) -> Secret:
        secret = password(rng, signs="!*+_~" if rng.random() < 0.5 else "")
        text = rng.choice(forms)(secret)
        return Secret(kind=kind, text=text, parts=(secret,), shown=Shown.WHOLE, names=names)

    return maker


def _quoted_in_url(rng: Random) -> Secret:
    """A password whose signs are percent-encoded, as they must be."""
    secret = urllib.parse.quote(password(rng, signs="!#%^*+_~@:/?&=") + "@1", safe="")
    text = f"postgres://app:{secret}@{_HOST}:5432/orders?sslmode=require"
    return Secret(
        kind="url-quoted-password",
        text=text,
        parts=(secret, urllib.parse.unquote(secret)),
        shown=Shown.WHOLE,
        names=("DATABASE_URL",),
    )


def _encoded(user: str, secret: str) -> str:
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def _basic(rng: Random) -> Secret:
    secret = password(rng)
    sent = _encoded("admin", secret)
    form = rng.choice(
        [
            "Authorization: Basic {}",
            "authorization=[Basic {}]",
            '{{"Authorization": "Basic {}"}}',
            "proxy-authorization: basic {}",
            "('Authorization', 'Basic {}')",
            "-H 'Authorization: Basic {}'",
            "headers={{Authorization=[Basic {}], Accept=[*/*]}}",
        ]
    )
    return Secret(
        kind="basic-auth", text=form.format(sent), parts=(sent, secret), shown=Shown.WHOLE
    )


def _bearer(rng: Random) -> Secret:
    secret = draw(rng, URLSAFE, rng.choice([24, 40, 64]))
    form = rng.choice(
        [
            "Authorization: Bearer {}",
            '"authorization":"Bearer {}"',
            "> authorization: bearer {}",
            "Authorization=Bearer {}",
            "sent with Bearer {}",
            "[Authorization:[Bearer {}] Accept:[*/*]]",
            "X-Forwarded-Authorization: Bearer {}",
        ]
    )
    return Secret(kind="bearer", text=form.format(secret), parts=(secret,), shown=Shown.WHOLE)


def _header(rng: Random) -> Secret:
    secret = draw(rng, ALNUM, 40)
    name = rng.choice(
        [
            *("X-Api-Key", "X-Auth-Token", "X-Vault-Token", "Api-Key", "apikey", "Private-Token"),
            *("Ocp-Apim-Subscription-Key", "DD-API-KEY", "X-Access-Token", "X-Insert-Key"),
            *("X-CSRF-Token", "X-Amz-Security-Token", "X-Shopify-Access-Token", "x-goog-api-key"),
        ]
    )
    form = rng.choice(
        ["{}: {}", "> {}: {}", "-H '{}: {}'", '"{}": "{}"', "[{}:[{}]]", "('{}', '{}')"]
    )
    return Secret(kind="header", text=form.format(name, secret), parts=(secret,), shown=Shown.WHOLE)


def _cookie(rng: Random) -> Secret:
    secret = draw(rng, ALNUM, 40)
    form = rng.choice(
        [
            "Cookie: theme=dark; session={}",
            "Set-Cookie: sid={}; Path=/; HttpOnly; Secure; SameSite=Lax",
            "cookie: _ga=GA1.2.1; auth_token={}; lang=en",
            '"cookie":"JSESSIONID={}"',
            "set-cookie=[XSRF-TOKEN={}; Path=/]",
            "Cookie: connect.sid=s%3A{}",
        ]
    )
    return Secret(kind="cookie", text=form.format(secret), parts=(secret,), shown=Shown.WHOLE)


def _docker_config(rng: Random) -> Secret:
    secret = password(rng)
    auth = _encoded("ci", secret)
    entry: dict[str, str] = {"auth": auth}
    if rng.random() < 0.5:
        entry |= {"username": "ci", "password": secret}
    text = json.dumps({"auths": {"registry.example.com": entry}})
    return Secret(
        kind="docker-config",
        text=text,
        parts=(auth, secret),
        shown=Shown.WHOLE,
        names=("DOCKER_AUTH_CONFIG",),
    )


def _docker_config_encoded(rng: Random) -> Secret:
    inner = _docker_config(rng)
    text = base64.b64encode(inner.text.encode()).decode()
    return Secret(
        kind="docker-config-encoded",
        text=text,
        parts=(text, *inner.parts),
        shown=Shown.NAMED,
        names=(".dockerconfigjson",),
    )


def _sas(rng: Random) -> Secret:
    signature = urllib.parse.quote(draw(rng, BASE64, 43) + "=", safe="")
    text = (
        "https://shop.blob.core.windows.net/backups/a.tar?sv=2022-11-02&sr=b&sp=r"
        f"&se=2026-01-01T00%3A00%3A00Z&sig={signature}"
    )
    return Secret(kind="azure-sas", text=text, parts=(signature,), shown=Shown.WHOLE)


def _azure_connection(rng: Random) -> Secret:
    secret = draw(rng, BASE64, 86) + "=="
    form = rng.choice(
        [
            "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={};"
            "EndpointSuffix=core.windows.net",
            "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}",
            "AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey={};",
            "HostName=shop.azure-devices.net;DeviceId=d1;SharedAccessKey={}",
        ]
    )
    return Secret(
        kind="azure-connection-string",
        text=form.format(secret),
        parts=(secret,),
        shown=Shown.WHOLE,
        names=("AZURE_STORAGE_CONNECTION_STRING", "EventHubConnection"),
    )


def _presigned(rng: Random) -> Secret:
    signature = draw(rng, HEX, 64)
    text = (
        "https://s3.eu-west-1.amazonaws.com/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260102T"
        f"030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}"
    )
    return Secret(kind="presigned-url", text=text, parts=(signature,), shown=Shown.WHOLE)


def _sentry(rng: Random) -> Secret:
    public, secret = draw(rng, HEX, 32), draw(rng, HEX, 32)
    user = rng.choice([f"{public}:{secret}", secret])
    return Secret(
        kind="sentry-dsn",
        text=f"https://{user}@o12345.ingest.sentry.io/67890",
        parts=(secret,),
        shown=Shown.WHOLE,
        names=("SENTRY_DSN",),
    )


def _htpasswd(rng: Random) -> Secret:
    form, size, alphabet = rng.choice(
        [
            ("$2y$05${}", 53, ALNUM + "./"),
            ("{{SHA}}{}=", 27, BASE64),
            ("$apr1$Qx7pQ9a1${}", 22, ALNUM),
        ]
    )
    hashed = draw(rng, alphabet, size)
    return Secret(
        kind="htpasswd", text="admin:" + form.format(hashed), parts=(hashed,), shown=Shown.WHOLE
    )


def _netrc(rng: Random) -> Secret:
    secret = password(rng)
    separator = rng.choice([" ", "\n  "])
    words = ["machine api.example.com", "login ci", f"password {secret}"]
    return Secret(kind="netrc", text=separator.join(words), parts=(secret,), shown=Shown.WHOLE)


def _command(rng: Random) -> Secret:
    secret = password(rng, signs="!%^*+_~")
    form = rng.choice(
        [
            "mysql -u app -p{} -h db orders",
            "mysqldump --user=app --password={} orders",
            "mysql -u app -p {} -h db",
            "curl -sf -u admin:{} https://api.example.com/v1",
            "curl --user admin:{} https://api.example.com/v1",
            "sshpass -p {} ssh root@host",
            "redis-cli -h cache -a {} ping",
            "docker login -u ci -p {} registry.example.com",
            "PGPASSWORD={} psql -h db -U app",
            "mongosh --username app --password {} --host db",
            "kubectl create secret generic db --from-literal=password={}",
            "kubectl create secret docker-registry r --docker-password={}",
            "helm upgrade shop . --set db.password={},replicas=2",
            "wget --http-password={} https://example.com/a",
            "openssl rsa -in a.pem -passin pass:{}",
            "htpasswd -b /etc/htpasswd admin {}",
            "ldapsearch -x -D cn=admin -w {} -b dc=shop",
            "smbclient //host/share -U app%{}",
            "echo {} | docker login --username ci --password-stdin",
        ]
    )
    return Secret(kind="command-line", text=form.format(secret), parts=(secret,), shown=Shown.WHOLE)


WHOLES: dict[str, Maker] = {
    "basic-auth": _basic,
    "bearer": _bearer,
    "header": _header,
    "cookie": _cookie,
    "docker-config": _docker_config,
    "docker-config-encoded": _docker_config_encoded,
    "azure-sas": _sas,
    "azure-connection-string": _azure_connection,
    "presigned-url": _presigned,
    "sentry-dsn": _sentry,
    "htpasswd": _htpasswd,
    "netrc": _netrc,
    "command-line": _command,
    "url-quoted-password": _quoted_in_url,
    "postgres-url": _whole(
        "postgres-url",
        lambda p: f"postgres://app:{p}@{_HOST}:5432/orders?sslmode=disable",
        lambda p: f"postgresql+asyncpg://app:{p}@{_HOST}/orders",
        lambda p: f"host={_HOST} port=5432 user=app password={p} dbname=orders",
        lambda p: f"host={_HOST} user=app password='{p}' dbname=orders",
        names=("DATABASE_URL", "PG_DSN"),
    ),
    "mysql-url": _whole(
        "mysql-url",
        lambda p: f"mysql://root:{p}@{_HOST}:3306/orders",
        lambda p: f"root:{p}@tcp({_HOST}:3306)/orders?parseTime=true",
        lambda p: f"mysql+pymysql://root:{p}@{_HOST}/orders",
        names=("MYSQL_DSN", "DB_URI"),
    ),
    "mongodb-url": _whole(
        "mongodb-url",
        lambda p: f"mongodb+srv://app:{p}@cluster0.ab1cd.mongodb.net/orders?retryWrites=true",
        lambda p: f"mongodb://app:{p}@m-0.m:27017,m-1.m:27017/orders?replicaSet=rs0",
        names=("MONGO_URI",),
    ),
    "redis-url": _whole(
        "redis-url",
        lambda p: f"redis://:{p}@cache:6379/0",
        lambda p: f"rediss://default:{p}@cache:6380",
        lambda p: f"redis://{p}@cache:6379",
        names=("REDIS_URL",),
    ),
    "broker-url": _whole(
        "broker-url",
        lambda p: f"amqp://app:{p}@rabbit:5672/%2Fshop",
        lambda p: f"amqps://app:{p}@b-1.mq.eu-west-1.amazonaws.com:5671",
        lambda p: f"nats://app:{p}@nats:4222",
        lambda p: f"mqtt://dev:{p}@broker:1883",
        names=("BROKER_URL", "AMQP_URL"),
    ),
    "kafka-jaas": _whole(
        "kafka-jaas",
        lambda p: (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="app" password="{p}";'
        ),
        lambda p: (
            "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
            f"username='app' password='{p}';"
        ),
        names=("KAFKA_SASL_JAAS_CONFIG",),
    ),
    "jdbc-url": _whole(
        "jdbc-url",
        lambda p: f"jdbc:postgresql://{_HOST}:5432/orders?user=app&password={p}&ssl=true",
        lambda p: f"jdbc:mysql://{_HOST}/orders?password={p}",
        lambda p: f"jdbc:sqlserver://{_HOST}:1433;databaseName=orders;user=sa;password={p};",
        lambda p: f"jdbc:oracle:thin:app/{p}@{_HOST}:1521/ORCL",
        lambda p: f"jdbc:mysql://app:{p}@{_HOST}/orders",
        names=("SPRING_DATASOURCE_URL", "JDBC_URL"),
    ),
    "sqlserver": _whole(
        "sqlserver",
        lambda p: f"Server=tcp:{_HOST},1433;Initial Catalog=orders;User ID=sa;Password={p};",
        lambda p: f"Data Source={_HOST};Uid=sa;Pwd={p};Encrypt=True",
        names=("ConnectionStrings__Default", "SQL_CONNECTION"),
    ),
    "user-at-host": _whole(
        "user-at-host",
        lambda p: f"app:{p}@{_HOST}:5432/orders",
        lambda p: f"admin:{p}@proxy.example.com:3128",
        lambda p: f"ftp://backup:{p}@files.example.com/daily",
        lambda p: f"https://ci:{p}@git.example.com/shop/api.git",
    ),
    "sql-statement": _whole(
        "sql-statement",
        lambda p: f"CREATE USER app IDENTIFIED BY '{p}'",
        lambda p: f"ALTER ROLE app WITH PASSWORD '{p}'",
        lambda p: f"SET PASSWORD FOR 'app'@'%' = '{p}'",
        lambda p: f"ALTER LOGIN sa WITH PASSWORD = N'{p}'",
    ),
}
