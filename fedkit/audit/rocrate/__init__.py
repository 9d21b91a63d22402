"""A study as a Five Safes RO-Crate 0.4 (https://w3id.org/5s-crate/0.4), made from its evidence: what archives and other trusted
research environments read.

    write_crate(Path("evidence.zip"), Path("study.crate.zip"))

crate       the crate: evidence, code and metadata in one BagIt bag, and the order in which it is made
facts       what of the evidence a crate tells
contexts    safe people and projects: who took part, and under which permit
assets      safe settings and data: code, data sets, files, what was released
processes   what happened: runs, sign-offs (safe projects), disclosure checks (safe outputs)
profile     what the profile requires, as rules that can be run
bagit       bags (RFC 8493)
"""

from fedkit.audit.rocrate.contexts import Requester
from fedkit.audit.rocrate.crate import crate, write_crate
from fedkit.audit.rocrate.profile import Problem, check_crate

__all__ = ["Problem", "Requester", "check_crate", "crate", "write_crate"]
