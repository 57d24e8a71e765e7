"""Forms in which secrets were met, one a line: none may get through, with or without a log around.

`%s` is a password of letters and digits, `%h` a key of hexadecimal digits.
"""

from __future__ import annotations

import pytest

from kausa.evidence.redaction import Redactor

REDACTOR = Redactor(key=b"one key for one cluster")
SECRETS = {"%s": "zQ9vT2kLm8" + "Xw4RbN", "%h": "9f86d081884c7d65" + "9a2feaa0c55ad015"}

FORMS = """\
DB_PASS=%s
db.password = %s
spring.datasource.password=%s
password: !!str %s
password: &anchor %s
PASSWORD='%s'
password:"%s"
passwd %s
pass: %s
user=root pass=%s host=db
--password %s
-password=%s
--password=%s
--db-pass %s
mysql -uroot -p%s
mysqladmin -u root password %s
psql postgresql://u:%s@h/db
PGPASSWORD=%s pg_dump
mongo mongodb://u:%s@h1,h2/db
redis-cli -u redis://:%s@h
redis://:%s@h:6379/0
amqp://guest:%s@mq
kafka: sasl.password=%s
jdbc:mysql://h/db?user=u&password=%s
jdbc:sqlserver://h;user=sa;password=%s;encrypt=true
Server=h;Database=d;User Id=sa;Password=%s;
Data Source=h;Password='%s';User=sa
root:%s@tcp(127.0.0.1:3306)/db
admin:%s@10.0.0.5:5432
u:%s@localhost/db
ftp://u:%s@h
ldap://cn=admin:%s@h
smtp://u:%s@mail:587
svn+ssh://u:%s@h
https://oauth2:%s@gitlab.com/x.git
https://%s:x-oauth-basic@github.com/x
machine h login u password %s
default login u password %s
u:$apr1$abcdefgh$%s%s
u:$2b$12$%s%s%sabcde
root:$6$salt$%s%s%s:19000:0:99999:7:::
Cookie: sessionid=%s; csrftoken=x
Set-Cookie: JSESSIONID=%s; Path=/
session_id=%s
PHPSESSID=%s
cookie: %s
X-Session-Token: %s
X-Auth-Key: %s
X-API-KEY:%s
apikey: %s
api-key=%s
API Key: %s
Api_Key %s
access_token=%s
"refresh_token":"%s"
id_token=%s
client_secret=%s
clientSecret: '%s'
CLIENT-SECRET=%s
AZURE_CLIENT_SECRET=%s
ARM_CLIENT_SECRET: %s
AWS_SECRET_ACCESS_KEY=%s
aws_secret_access_key = %s
SecretAccessKey": "%s"
aws_session_token=%s
SharedAccessSignature=sv=2020&sig=%sabc%3D
SharedAccessKey=%s=
AccountKey=%s==;
BlobEndpoint=https://x;SharedAccessSignature=sv=1&sig=%s
DD_API_KEY=%h
dd-api-key: %h
NEW_RELIC_LICENSE_KEY=%h
TWILIO_AUTH_TOKEN=%h
twilio auth token %h
SENTRY_AUTH_TOKEN=%h
https://%h:%h@sentry.io/1
vault token: s.%sabcdefgh
VAULT_TOKEN=s.%sabcdefgh
<password>%s</password>
<password value="%s"/>
<property name='password'>%s</property>
<entry key="db.password">%s</entry>
<bean><property name="password" value="%s"/></bean>
&lt;password&gt;%s&lt;/password&gt;
<secret>%s</secret>
<connectionString>Server=h;Password=%s</connectionString>
{"password":"%s"}
{'password': '%s'}
{password: {S}}
password%3D%s
password%22%3A%22%s%22
%22password%22%3A+%22%s%22
password&#61;%s
password%253D%s
{"name":"DB_PASSWORD","value":"%s"}
{"value":"%s","name":"DB_PASSWORD"}
curl -u admin:%s h
curl --user admin:%s h
curl -H 'X-Api-Key: %s' h
curl -H "Authorization: Bearer %s" h
curl -d '{"password":"%s"}' h
curl -F password=%s h
wget --password=%s h
wget --user=u --password=%s
docker login -u u --password %s
echo %s | docker login -u u --password-stdin
helm install --set auth.password=%s
helm --set-string db.pass=%s
kubectl create secret generic x --from-literal=pw=%s
kubectl create secret generic x --from-literal=foo='%s'
kubectl create secret docker-registry r --docker-password=%s
kubectl config set-credentials u --token=%s
az login -u u -p %s
aws configure set aws_secret_access_key %s
gcloud auth --token=%s
sshpass -p '%s' ssh h
openssl enc -k %s
openssl req -passout pass:%s
gpg --passphrase %s
ansible --extra-vars 'password=%s'
terraform apply -var="password=%s"
rabbitmqctl add_user u %s
requirepass %s
masterauth %s
ALTER USER u WITH PASSWORD '%s'
CREATE USER u IDENTIFIED BY '%s'
GRANT ALL ON *.* TO u IDENTIFIED BY "%s"
SET PASSWORD = PASSWORD('%s')
ALTER USER u PASSWORD "%s"
LOGIN u WITH PASSWORD='%s'
htpasswd -cb f u %s
ldapsearch -D cn=x -w %s
sqlplus u/%s@h
smbclient -U u%%s
rclone config password %s
export FOO_TOKEN=%s
set FOO_TOKEN=%s
setx FOO_TOKEN %s
$env:FOO_TOKEN = "%s"
ENV FOO_TOKEN %s
ENV FOO_TOKEN=%s
ARG FOO_TOKEN=%s
declare -x FOO_TOKEN="%s"
FOO_TOKEN+=%s
readonly TOKEN=%s
password -> %s
password => %s
password is %s
password was set to %s
using password: %s
with password '%s'
Invalid password: %s
wrong password "%s" for user x
authentication failed with token %s
token=%s&x=1
?api_key=%s&y
#access_token=%s&type=bearer
Password : %s
pwd=%s
Pwd=%s;
passphrase=%s
secret=%s
my_secret=%s
secretKey=%s
SECRET_KEY_BASE=%s%s
encryption_key=%s
signing-key: %s
JWT_SECRET=%s
webhook_secret=%s
private_key_password=%s
keystore.password=%s
storepass %s
-storepass %s
-Djavax.net.ssl.keyStorePassword=%s
-Dpassword=%s
ssl.key.password=%s
bindpw=%s
bind_password: %s
userPassword: %s
rootpw %s
admin_pw=%s
otp=%s
unlock_key=%s
recovery key: %s
credential=%s
credentials: u:%s
auth: %s
"auth":"%s"
_auth=%s
//registry.example.com/:_authToken=%s
_password=%s
oauth_token_secret=%s
consumerKey=%s
access-key=%s
accessKey: %s
secret_access_key=%s
storage_account_key=%s
subscription-key=%s
function_key=%s
x-functions-key: %s
sig=%s
signature=%s
hmac=%s
license_key=%s
Error: {Password:%s User:x}
&{User:x Password:{S}}
Config(password=%s, user=x)
Config{password='%s', user=x}
[password=%s]
map[password:%s]
password=[%s]
password=(%s)
password="%s
password='%s
password=%s'
password=%s"
password=%s,
password=%s)
password=%s.
password==%s
password := "%s"
set password %s
PASSWORD:%s
Password=%s|x
"""
MORE = (
    'sasl.jaas.config=org.apache.kafka.PlainLoginModule required username="u" password="%s";',
    '{\\"password\\":\\"%s\\"}',
    '{\\\\\\"password\\\\\\":\\\\\\"%s\\\\\\"}',
    "password\\u003d%s",
    "password\\x3d%s",
    "name: DB_PASSWORD\nvalue: %s",
    "- name: API_TOKEN\n  value: >-\n    %s",
    "env:\n  - value: %s\n    name: DB_PASSWORD",
    "DB_PASSWORD:\n  value: %s",
    "PASSWORD\t%s",
)


@pytest.mark.parametrize("form", [*FORMS.splitlines(), *MORE])
@pytest.mark.parametrize("around", ["{}", "2026-01-02T03:04:05Z ERROR {} at x", "\n{}\nport=80\n"])
def test_a_secret_is_hidden_in_this_form(form: str, around: str) -> None:
    written = form.replace("%s", SECRETS["%s"]).replace("%h", SECRETS["%h"])

    found = REDACTOR.text(around.replace("{}", written))

    assert not any(secret in found.value for secret in SECRETS.values())
    assert found.counts
    assert "withheld" not in found.counts
