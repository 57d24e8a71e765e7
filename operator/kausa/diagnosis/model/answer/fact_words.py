"""Words of a claim that name a fact of a failure, and what in the evidence says the same.

Each line is one kind of fact: words, and a pattern over the evidence in lower case. It errs towards
bearing, where one thing is hardly there without the other; a word's own root need not stand here.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ACCUSING", "DONE", "ENDED", "SAME", "THEMSELVES"]

_DENIED: Final = (
    r"permi|den(?:y|ied)|forbid|unauthori|\b40[13]\b|not allowed|eacces|eperm|rbac|privileg|"
    r"read-?only|cannot (?:list|get|create|watch|patch|update|delete)"
)
_AUTH: Final = r"auth(?!or(?:ity|\b))|passw|credential|login|token|\b40[13]\b|access denied|secret"
_SPENT: Final = (
    r"exhaust|exceed|out ?of|outof|\boom|\b137\b|full\b|no space|enospc|"
    r"too (?:many|large|big|long)|limit|quota|pressure|insufficient|not enough|overflow|\bmax"
)
_RESOLVING: Final = (
    r"dns|lookup|resolv|resolution|no such host|name or service|getaddrinfo|eai_again|enotfound|"
    r"nxdomain|servfail|:53\b|unknown ?host"
)
_REACHING: Final = (
    r"connect|conn\b|dial|refused|reset by|socket|:\d{2,5}\b|unreachable|time.?out|timed out|"
    r"upstream|tcp|peer|network|broken pipe|\beof\b|http|no route|listen|bind|\bport"
)
_TABLES: Final = r"schema|migrat|relation|column|\btables?\b"
_DATABASE: Final = (
    rf"databas|\bdb\b|_db|dsn|sql|postgres|mongo|redis|mariadb|cassandra|{_TABLES}|"
    r":(?:5432|3306|27017|1433|1521|6379)\b|password authentication failed"
)
_LATE: Final = (
    r"time.?out|timed out|deadline|etimedout|latenc|slow|took|no response|not respond|delay|"
    r"after \d[\d.]* ?(?:m?s\b|sec|min)"
)
_STORED: Final = r"volume|mount|pvc|persist|disk|no space|enospc|quota|storage|attach|file ?system"
_RUN: Final = r"exec|binar|entrypoint|script|/s?bin/|\bsh\b|librar|no such file|command|program"
_FORM: Final = r"malform|pars|syntax|unexpected|invalid|decod|unmarshal|json|yaml|format|corrupt"
_PLACED: Final = r"schedul|taint|affinity|insufficient|nodes? (?:are|is) available|pending"
_NUMBERED: Final = r"(?<![\d.])v?\d+\.\d+(?:\.\d+)?(?![\d.])"
_DIFFERS: Final = (
    r"\bmodes?\b|readwrite|match|differ|expect|instead|format|version|not valid for|selector"
)
_IN_THE_WAY: Final = r"conflict|already|in use|duplicate|\b409\b|same|modified|concurrent"
_CHANGED: Final = r"chang|resiz|mov|modif|edit|replac|updat|\bwas [^.;]{1,80} from\b|revision"
_CORRUPT: Final = r"corrupt|damag|checksum|\bcrc|superblock|unexpected eof|truncat"
_PULLED: Final = r"pull|imag|registry|manifest|repositor"

SAME: Final = (
    # Who may do what.
    ("password", r"passw|credential|password|dsn"),
    ("username", r"user|login|credential|passw|dsn"),
    ("credential", rf"{_AUTH}|dsn|pull access"),
    ("secret", r"secret|credential|passw|token|authentic"),
    ("token bearer jwt", r"token|jwt|oauth|bearer|\bunauthorized\b"),
    ("login authentication authenticate unauthenticated", _AUTH),
    ("unauthorized authorize authorization", rf"{_AUTH}|{_DENIED}"),
    ("permission permit privilege privileged denied deny forbidden disallow", _DENIED),
    ("forbid", rf"{_DENIED}|never|violat|affinity"),
    (
        "role rbac rolebinding clusterrole clusterrolebinding",
        r"\broles?\b|rbac|rolebinding|clusterrole|forbidden",
    ),
    ("account serviceaccount", r"account|quota|user|login|subject|\bunauthorized\b"),
    ("uid", rf"\buid|user|root|{_DENIED}"),
    # Certificates.
    ("certificate", r"certif|x509|\bcerts?\b|\btls\b|\bssl\b|\bpem\b|handshake"),
    ("tls ssl handshake", r"\btls\b|\bssl\b|x509|certif|https|handshake"),
    ("authority issuer ca", r"authority|unknownauthority|issuer|\bca\b|self.?signed"),
    ("signature", r"signed|signature|issuer|authority"),
    ("trust", r"trust|authority|self.?signed|verif"),
    # Memory, disks and other room.
    ("memory ram oom", r"memory|\boom|oomkill|\b137\b|enomem|heap|\balloc"),
    ("heap xmx", r"heap|xmx|outofmemory|out of memory"),
    ("kill sigkill", r"kill|\b137\b|\boom|sigterm|evict|liveness|startup probe"),
    ("kernel cgroup", r"kernel|cgroup|\boom|\b137\b|dmesg|sigkill"),
    ("disk storage inode", r"disk|rootfs|no space|enospc|quota|inode|storage|ephemeral|volume|pvc"),
    ("volume mount attach persistent persistentvolume persistentvolumeclaim pvc pv", _STORED),
    ("storageclass", r"storage|provision|volume|pvc|claim"),
    ("configmap", r"config|env|key|variab|\w_\w|mount"),
    ("filesystem", r"file ?system|read-?only|mount|\bext4|\bxfs|superblock|disk|no space"),
    ("read-only", r"read-?only|erofs|\bro\b"),
    ("write-ahead", r"write-ahead|\bwal\b"),
    ("full fill", rf"{_SPENT}|fill"),
    ("exceed exhaust overflow", _SPENT),
    ("quota resourcequota limitrange", r"quota|limit ?range|exceed|maximum"),
    ("limit", rf"heap|throttl|{_SPENT}"),
    ("insufficient", rf"{_SPENT}|unschedul|capacity|\b\d+/\d+\b|lack|could not acquire"),
    ("throttle", r"throttl|rate.?limit|\b429\b|too many"),
    ("capacity", rf"capacity|{_SPENT}"),
    ("overload busy saturate", r"overload|too many|\b503\b|\b429\b|pressure|saturat|busy"),
    ("cpu millicore", r"cpu|throttl|millicore"),
    # Networks.
    ("network", rf"{_REACHING}|{_RESOLVING}|\bcni\b|sandbox|host"),
    ("connect connection connectivity socket", rf"{_REACHING}|pool|broker|{_RESOLVING}|closed"),
    ("tcp udp", _REACHING),
    ("dns resolver nameserver", _RESOLVING),
    ("port", r"\bports?\b|:\d{2,5}\b|listen|bind|addr|\w_port|targetport"),
    ("listen bind bound", r"listen|bind|bound|addr|refused|\bports?\b|socket|claim|releas"),
    ("timeout", _LATE),
    ("deadline", r"deadline|time"),
    ("slow slowness latency", _LATE),
    ("hang stuck", rf"hang|hung|stuck|block|wait|pending|{_LATE}"),
    ("firewall", r"firewall|iptables|security group|no route"),
    (
        "policy",
        r"polic|constraint|gatekeeper|kyverno|podsecurity|securitycontext|violation|violates",
    ),
    ("networkpolicy", r"networkpolic|network polic"),
    # Other programs.
    ("database", _DATABASE),
    ("postgresql postgres", r"postgres|psql|\bpq:|:5432\b|password authentication failed for"),
    ("mysql mariadb", r"mysql|mariadb|:3306\b"),
    ("redis", r"redis|:6379\b"),
    ("mongodb mongo", r"mongo|:27017\b"),
    ("rabbitmq amqp", r"rabbit|amqp|:5672\b"),
    ("kafka", r"kafka|:909[2-4]\b"),
    ("openssl", r"openssl|libssl|libcrypto|\btls\b|\bssl\b"),
    ("schema migration migrate table column", _TABLES),
    ("query sql row", rf"query|\brows?\b|statement|{_DATABASE}"),
    ("backend upstream", r"backend|upstream|\b50[234]\b|connect|refused|dial"),
    ("broker queue topic", r"broker|queue|topic|kafka|amqp|rabbit|nats"),
    ("lock lease", r"lock|lease|held|leader"),
    # What a program is made of, and how it ends.
    ("python", r"python|traceback|\.py\b|keyerror|importerror|modulenotfound"),
    ("java jvm", r"java|\bjvm\b|\.jar\b|heap space|exception in thread"),
    ("library module package", r"librar|\.so\b|module|package|import|require"),
    ("executable executed", _RUN),
    ("architecture platform", r"arch|exec format|amd64|arm64|platform"),
    ("segmentation segfault", r"segment|segfault|sigsegv|\b139\b|signal 11"),
    ("panic", r"panic"),
    ("exception", r"exception|error|traceback|unhandled|panic|throw|raise"),
    ("signal", r"signal|\bsig[a-z]{3,4}\b|\b1[34][37]\b|kill"),
    ("syntax malformed parse", _FORM),
    (
        "misspell misspelt typo",
        r"unknown|not found|invalid|no such|typo|undefined|unrecogni|not defined|exist",
    ),
    ("version", rf"version|defined|unknown|support|{_NUMBERED}|revision|\btags?\b|\bv\d"),
    ("compatible incompatible incompatibility", r"compatib|support|version|mismatch|format|needs"),
    ("match mismatch differ", _DIFFERS),
    ("conflict compete clash", _IN_THE_WAY),
    ("file directory folder", r"file|director|folder|path|/[\w.-]+/|\.[a-z]{2,4}\b|mount"),
    ("variable", r"env|variab|keyerror|\w_\w|unset|undefined|config|\bset\b"),
    # Kubernetes.
    ("probe readiness liveness", r"probe|unhealthy|liveness|readiness"),
    ("schedule scheduler unschedulable", rf"{_PLACED}|cron"),
    ("taint toleration affinity", r"taint|tolerat|affinity|selector"),
    ("evict eviction preempt preemption", r"evict|pressure|preempt|low on"),
    ("pressure", r"pressure|evict|low on"),
    ("pull registry download", rf"{_PULLED}|download|fetch"),
    ("rollout rollback revision", r"rollout|revision|progress|replicaset|deploy"),
    ("autoscale autoscaler hpa horizontalpodautoscaler", r"scal|\bhpa\b"),
    ("mesh sidecar", r"mesh|sidecar|istio|envoy|linkerd|rbac: access denied|upstream connect"),
    ("plugin", r"plugin|\bcni\b|\bcsi\b|ipam"),
    ("pool", r"pool|ipam|\beni\b|available ip"),
    ("cloud provider", r"cloud|provider|\bec2\b|\bebs\b|\baws\b|azure|\bgc[ep]\b|quota_exceeded"),
    ("machine", r"machine|\bnode"),
    ("drain", r"drain|evict|disruption"),
    ("poddisruptionbudget pdb", r"disruption"),
    ("cordon", r"cordon|unschedulable"),
    ("webhook admission", r"webhook|admission|denied the request|podsecurity|securitycontext"),
    ("selector label", r"selector|label|match|adopt"),
)
"""Words of a claim, and what in the evidence, in lower case, says the same."""
ENDED: Final = (
    ("expire expiry expiration expired", r"expir|not yet valid|outlived|notafter"),
    ("corrupt corruption damage", _CORRUPT),
    ("leak", r"leak"),
    ("steal stolen leaked", r"stole|leak"),
)
"""How something went bad, which not even a proposal may make up."""
DONE: Final = (
    ("deleted removed deletion removal", r"delet|remov|purg|prun|drop(?:ped)? (?:table|database)"),
    ("changed modified edited replaced resized moved", _CHANGED),
    ("upgraded upgrade downgraded updated", r"upgrad|downgrad|updat|chang|rollout|revision|migrat"),
    ("renamed", r"renam"),
    ("scaled", r"scal|replica"),
    ("restored", r"restor"),
    ("installed", r"install|module|package|import|no such file|not found"),
    ("enabled disabled", r"enabl|disabl"),
    ("pushed published", r"push|publish"),
    ("cancelled canceled suspended", r"cancel|suspend"),
    ("rotated rotation", r"rotat"),
    ("revoked revocation", r"revok|revoc"),
    ("renewed renew renewal", r"renew"),
    ("rebooted reboot", r"reboot"),
    ("signed", r"signed|signature|issuer|authority"),
    ("timed", _LATE),
)
"""What somebody or something did; these forms only, for `remove` proposes."""
THEMSELVES: Final = (
    "canary balancer victim cronjob "
    "person people somebody someone anybody everybody everyone team author tenant operator "
    "customer colleague neighbour yesterday today tomorrow week month night weekend backup "
    "licence license proxy gateway region zone clock skew hardware "
    "gpu nfs vm hook cron finalizer shard thread goroutine session buffer cache heartbeat "
    "election partition etcd containerd cni csi gatekeeper kyverno prometheus grpc ingress docker "
    "garbage bucket spike chunk driver device jitter packet rights adapter "
    "alarm audit bandwidth bulk checksum conntrack debug defect descriptor discovery disruption "
    "embedder fork index inotify interface kopf loopback mirror ollama qdrant onnxruntime openai "
    "aiohttp pid pipe pipeline recovery redactor reranker sandbox segment snapshot storm stream "
    "synchronization temperature topology tunnel vector watchdog"
)
"""Nothing else says the same."""
ACCUSING: Final = (
    "hack hacker compromise attack attacker malicious malware ransomware sabotage infect infection "
    "intruder intrusion breach exploit hijack vandal thief "
    "criminal spy backdoor trojan virus miner tamper insider negligent negligence"
)
