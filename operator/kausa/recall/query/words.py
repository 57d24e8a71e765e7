"""Words that the heuristics know; kept apart, because lists of words are tedious to read."""

from __future__ import annotations

__all__ = ["ASKING", "EMPTY", "NO_NAMES"]

NO_NAMES = """
a about account accounts address affected affinity after again all also always an and another
any are aren as at autoscaler back backoff bad be became because become becomes been before
being below besides big bind both bound broken busy but by can cannot cant cidr cluster clusters
complete completed connect connects controller controllers cordoned could couldn cpu crash
crashed crashes crashing create created creating current dead deadline delete deleted deployment
did didn die died dies discovery disk do does doesn doesnt don down drain drained draining each
either endpoint endpoints entire error errors ever every evicted evicting exceeded exceeds
except exclude excluding existing exit exited exits fail failed failing fails failure failures
finish finished finishes first for from get gets getting given go goes going gone good had has
hasn have healthy hit hits how i if ignore ignoring image images in inside into ip is isn isnt
it its itself just k8s keep keeps kill killed kills label labels last latest like limit limits
log logs main me memory mesh might missing mount mounting my name named names neither never new
next no nodes none nor not notready now of off often old on one only or other our out outside
over pending please pods pool port ports pressure previous probe probes pull pulling quota reach
reaches ready reason replica replicas reported reports request requests resize resolve resolves
restart restarted restarting restarts right rolling rollout run running runs s same say says
scale scaled scales scaling schedule scheduled second secret selector selectors servers should
shouldn show shows since single skip slow small so some spec start started starting starts
startup state statefulset status stay stays still stop stopped stops stuck taint taints take
takes template terminating than that the their them then there these they third this those
though to today too two type unable under unhealthy unschedulable until up update use using
version volume volumes wait waiting waits want was wasn we were weren what when where which
while who whole why will with without won wont workers workload workloads would wouldn wrong
yesterday you your
"""
"""What stands where a name could, and is none."""

ASKING = """
how what why when where which who whose can could should does do did is are was were will would has
have show list find tell explain
"""
"""What a question begins with."""

EMPTY = """
a an the i we you it my our this that to of in on at for be do does me please hi hello
"""
"""What says nothing that could be searched for."""
