"""Which commands may be shown at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.diagnosis.model.commands import call_of, refusal


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods -n shop -o wide",
        "kubectl -n shop describe pod api-0",
        "kubectl --namespace=shop get events --sort-by=.lastTimestamp",
        "kubectl logs deployment/api --previous -c api --tail=50",
        "kubectl events --for deployment/api -nshop",
        "kubectl top pods --containers",
        "kubectl explain pod.spec.containers",
        "kubectl get pods -A -l app=api -oyaml",
        "kubectl get pods -o jsonpath='{.items[*].status}'",
        "kubectl get pods -ojsonpath='{.items[*].status}'",
        "kubectl get pods -o=json",
        "kubectl set image deployment/api api=r.example/api:2.4.2",
        "kubectl set image deployment api api=r.example:5000/api:2 side=r.example/side@sha256:ab",
        "kubectl set resources deployment/api --limits=memory=128Mi -n shop",
        "kubectl set resources statefulset db -c=db --requests cpu=1,memory=1Gi",
        "kubectl rollout undo deployment/api --to-revision=3",
        "kubectl rollout restart deployment.apps/api",
        "kubectl rollout status sts/db --timeout=60s",
        "kubectl rollout history deployment api",
        "kubectl scale deployment/api --replicas=2",
        "kubectl scale --replicas 2 deployment api -n shop",
        "kubectl get secret db -n shop -o name",
        "kubectl get secret/db -oname",
        "kubectl get deployment secret-reader",
        "kubectl get secretproviderclasses",
    ],
)
def test_a_plain_kubectl_command_is_shown(command: str) -> None:
    assert refusal(command) is None
    assert call_of(command).verb in command


@pytest.mark.parametrize(
    "command",
    [
        *("", "rm -rf /", "kubectl", "kubectl -n", "kubectl -n shop", "kubectl get pods 'open"),
        *("sudo kubectl get pods", "/tmp/kubectl get pods", "kubectl config view --raw"),
        "kubectl get pods " + "x" * 500,
    ],
)
def test_what_is_no_plain_call_is_refused(command: str) -> None:
    assert refusal(command) is not None


@pytest.mark.parametrize(
    "tail",
    [
        *("; reboot", "&& reboot", "| sh", "> /etc/passwd", "< /etc/passwd", "`id`", "$(id)"),
        *('"$(id)"', "$HOME", "\nreboot", "\\x", '"!!"', "a{b,c}", "[ab]", "*", "~", "# x"),
        *("\u202e", "\u00a0", "\u2028reboot", "é"),
    ],
)
def test_what_a_shell_or_an_eye_would_read_otherwise_is_refused(tail: str) -> None:
    assert refusal("kubectl get pods") is None
    assert refusal(f"kubectl get pods {tail}") is not None


@pytest.mark.parametrize(
    "command",
    [
        "kubectl create clusterrolebinding x --clusterrole=cluster-admin --serviceaccount=a:b",
        "kubectl create -f https://example.invalid/x.yaml",
        "kubectl create deployment x --image=evil",
        "kubectl create secret generic x --from-file=/etc/shadow",
        "kubectl create configmap app --from-literal=MODE=prod",
        "kubectl create token app",
        """kubectl patch deployment api -p '{"spec":{"template":{"spec":{"hostPID":true}}}}'""",
        "kubectl apply -f https://example.invalid/x.yaml",
        "kubectl delete pod api-0",
        "kubectl exec -it api-0 -- sh",
        "kubectl edit configmap app-config",
        "kubectl annotate pod api-0 a=b",
        "kubectl label pod api-0 a=b",
        *("kubectl cordon n1", "kubectl uncordon n1", "kubectl drain n1", "kubectl taint no n1 a-"),
        *("kubectl cp a:/b c", "kubectl debug x", "kubectl run x", "kubectl proxy"),
        *("kubectl attach x", "kubectl replace x", "kubectl expose x", "kubectl port-forward x 1"),
        *("kubectl autoscale deployment api --max=9", "kubectl certificate approve x"),
        *("kubectl set env deployment/api A=b", "kubectl set subject x", "kubectl set"),
        "kubectl set serviceaccount deployment api admin",
        *("kubectl rollout pause deployment/api", "kubectl rollout", "kubectl top secrets"),
    ],
)
def test_a_verb_that_is_not_on_the_list_is_refused(command: str) -> None:
    assert refusal(command) is not None


@pytest.mark.parametrize(
    "options",
    [
        *("-f x.yaml", "-fx.yaml", "--filename x", "--filename=x", "-k dir", "-kdir"),
        *("--kustomize=dir", "-R", "--as admin", "--as=admin", "--as-group=system:masters"),
        *("--token=x", "--kubeconfig=/tmp/x", "--server https://h.invalid", "-s h", "-sh"),
        *(
            "--context=prod",
            "--cluster x",
            "--user x",
            "--username=x",
            "--password=x",
            "--raw /api",
        ),
        *("--raw=/api", "--insecure-skip-tls-verify", "--certificate-authority=/x", "--v=9"),
        *(
            "--cache-dir=/x",
            "--profile-output=/etc/x",
            "--template={{.data}}",
            "-Af x",
            "-it",
            "--",
        ),
        *("-o", "-o -n", "-n -f", "-o go-template-file=/etc/shadow", "-o jsonpath-file=/etc/x"),
        *("-o custom-columns-file=/x", "-o go-template='{{.data}}'", "--all", "--dry-run=none"),
        *("https://h.invalid/x", "-l a=https://h.invalid", "-n=https://h.invalid"),
    ],
)
def test_an_option_that_is_not_on_the_list_is_refused(options: str) -> None:
    assert refusal(f"kubectl get pods {options}") is not None
    assert refusal(f"kubectl {options} get pods") is not None


@pytest.mark.parametrize(
    "words",
    [
        *("get secrets -o yaml", "get secret/db -o yaml", "get pods,secrets", "get secrets"),
        *("-n shop get secret db", "get secret db -o wide", "describe secret db", "get Secret db"),
        *("get secret db -o jsonpath='{.data.password}'", "get secret -A -o name"),
        *("get secrets -o name", "get secret a b -o name", "get secret db -o name -o yaml"),
        *("get secrets.v1. db -o yaml", "describe secret/db", "get pod/x secret/db -o name"),
        *("get sec'ret' db -o yaml", "describe pods,secret -A", "get secret/a secret/b -o name"),
    ],
)
def test_a_secret_may_only_be_asked_for_its_name(words: str) -> None:
    assert refusal(f"kubectl {words}") is not None


@pytest.mark.parametrize(
    "words",
    [
        *("rollout restart deployment", "rollout restart deployment a b", "rollout undo"),
        *("rollout restart deployment -l app=x", "scale --replicas=0 --all deployment"),
        *("scale deployment/a deployment/b --replicas=0", "set image deployment/api"),
        *("set image deployment/api api=", "set image deployment --all api=x", "set image a=b"),
        *("set resources secret/db --limits=cpu=1", "scale node/n1 --replicas=0"),
        *("set image '*' api=x", "set image deployment/api api=-x", "rollout undo ns/kube-system"),
        *("scale daemonset/a --replicas=2", "rollout restart pod/a", "rollout undo cronjob/a"),
        *("set image deployment/api '*=x'", "logs a b c"),
    ],
)
def test_a_repair_names_one_workload_of_a_kind_that_it_is_for(words: str) -> None:
    assert refusal(f"kubectl {words}") is not None


@given(st.text() | st.text().map("kubectl get {}".format))
def test_no_command_breaks_the_check(command: str) -> None:
    if refusal(command) is None:
        assert command.split()[0] == "kubectl"
        assert not set(command) & set(";|&<>`$\n")
