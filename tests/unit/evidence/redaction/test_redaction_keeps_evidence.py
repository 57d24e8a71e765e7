"""What must stay readable: it is what a diagnosis rests on."""

from __future__ import annotations

import pytest

from kausa.evidence.redaction import Redactor

DIGEST = "0123456789abcdef" * 4

LINES = f"""
secretName: db-credentials
secret "db-password" not found
configmap "token-config" not found
Error: couldn't find key DB_PASSWORD in Secret shop/db-credentials
MountVolume.SetUp failed for volume "db-credentials" : secret "db-password" not found
MountVolume.SetUp failed for volume "v" : references non-existent secret key: db-password
MountVolume.SetUp failed for volume "v" : failed to fetch token: serviceaccounts "app" not found
failed to fetch token: Post "https://10.0.0.1:443/api": dial tcp 10.0.0.1:443: i/o timeout
pods "x" is forbidden: error looking up service account shop/app: serviceaccount "app" not found
Failed to pull image "r.example/shop/api-token:2.4.1": not found
image: shop/auth-token:2.4.1
image: auth-token:latest
Image: r.example:5000/shop/token@sha256:{DIGEST}
password authentication failed for user "app"
FATAL: password: authentication failed
Access denied for user 'root'@'172.17.0.1' (using password: YES)
invalid token
token expired
token: expired
password is too short: 6 of 12 characters
password for user app2 is wrong
mysql -u app -h db
error validating token: token expired at 10:00
error validating token: jwt: signature is invalid
wrong password: must be at least 8 characters
open /var/run/secrets/token: no such file or directory
open /etc/db_password: permission denied
unauthorized: authentication required
no basic auth credentials
basic authentication is required
Bearer authentication failed
WWW-Authenticate: Bearer realm="https://auth.example/token",service="registry"
Authorization: missing header
"Couldn't get secret" secret="shop/db-credentials" err="secret \\"db\\" not found"
{{"secret":{{"secretName":"db-credentials"}}}}
{{"valueFrom":{{"secretKeyRef":{{"name":"db","key":"password"}}}}}}
  DB_PASSWORD:  <set to the key 'password' in secret 'db-credentials'>  Optional: false
DB_PASSWORD=$(PW)
DB_PASSWORD=${{PW}}
password: {{{{ .Values.password }}}}
password: <none>
password=""
password: ''
password=
password= user=app
"token": null, "automountServiceAccountToken": false
--token-ttl 5m --password-file /etc/pw
flag --token is deprecated
PWD=/app
promptTokens=12 max_token=4 next_token=b tokens: 12
imagePullSecrets: regcred
pass: 12 fail: 3
http://host:8080/path?email=a@b.example
https://user@host/path
uid 3f2504e0-4f89-11d3-9a0c-0305e82c3301 terminated with exit code 137
sha256:{DIGEST}
level=info caller=main.go:12 msg="handled request" path=/v1/orders status=200 key=abc dur=12ms
checkout-api-7c9d8f5b6d-x2x4z on node ip-10-0-1-12.eu-west-1.compute.internal
Back-off restarting failed container api in pod checkout-7c9d8f5b6d-x2x4z
KeyError: 'PAYMENTS_DB_PASSWORD'
invalid password
password is invalid
password is wrong!
password is: expired
password: must be at least 8 characters
login failed, password: the token is expired
login with password: authentication failed for user "app"
token is expired
secret is not found
auth=basic auth: failed auth=scram-sha-256 auth=oauth2 auth=https://idp.example/v2
session=12 session: closed session=active sid=7
session expired after 30m
pass=3 fail=1 pass=12ms
TestOrders: pass
bypass=abc123def pass_rate=a1b2c3
git clone https://git@github.com/a/b.git
https://x-access-token@github.com/a
postgres://checkout-service-rw@db:5432/orders
docker login registry.example.com
redis-cli -h cache -p 6379 ping
couldn't find key DB_PASSWORD in Secret shop/db2
page%3D2%26size%3D10
node->token->kind
panic: runtime error: invalid memory address or nil pointer dereference
"""


@pytest.mark.parametrize("line", [line for line in LINES.splitlines() if line])
def test_evidence_stays_equal(redactor: Redactor, line: str) -> None:
    found = redactor.text(line)

    assert found.value == line
    assert not found.counts


def test_a_reference_to_a_secret_in_a_pod_stays_equal(redactor: Redactor) -> None:
    text = """
    env:
    - name: DB_PASSWORD
      valueFrom:
        secretKeyRef:
          key: password
          name: db
    volumes:
    - name: token
      secret:
        secretName: app-token
    """

    assert redactor.text(text).value == text


def test_a_structure_below_a_sensitive_key_stays_equal(redactor: Redactor) -> None:
    text = """
    password:
      valueFrom:
        key: db
    token:
      secretName: app
    credentials:
    - name: db
    auth:
      enabled: true
    """

    assert redactor.text(text).value == text
