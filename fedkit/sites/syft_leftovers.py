"""What PySyft keeps of every execution, taken away when its call has been answered: storage does not grow with rounds.

Of each call PySyft stores its argument, its result (a receipt, which fedkit keeps itself) and a row of the output history, some
ten kilobytes in all; and it reads the whole history of a code before the next call. Nothing of that is read again: a call that
was finished before gets its receipt from the gate. Import it after `pysyft.load()`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from syft.service.action.action_object import ActionObject
from syft.types.errors import SyftException
from syft.types.uid import UID

#: The PySyft call after which something is left, and the argument that names the code.
PATH, CODE = "code.call", "uid"


def clear(server: Any, user: str, arguments: dict[str, Any]) -> None:
    """Delete what the call of a code with these arguments has left.

    user: verify key (hex) of who called; what is not theirs, such as the data set's handle, stays.
    Never raises: a run does not fail for what could not be tidied, and the next one tidies it.
    """
    code = arguments.get(CODE)
    objects, outputs = server.services.action.stash, server.services.output.stash
    try:
        history = outputs.get_by_user_code_id(server.verify_key, code).unwrap() if isinstance(code, UID) else []
        ids = {_uid(value) for name, value in arguments.items() if name != CODE}
        ids |= {uid for output in history for uid in output.output_id_list}
        _delete(objects, [uid for uid in ids if uid is not None], user)
        _delete(outputs, [output.id for output in history])
    except SyftException:
        return


def _uid(value: Any) -> UID | None:
    """The id of an argument, which comes as an object or as a pointer to one."""
    if isinstance(value, ActionObject):
        return value.id
    return value if isinstance(value, UID) else None


def _delete(stash: Any, ids: list[UID], user: str | None = None) -> None:
    """One statement; PySyft's own way is one for each, with a look at the role and the permissions before it."""
    if not ids:
        return
    table = stash.table
    chosen = table.c.id.in_(ids)
    if user is not None:
        chosen &= sa.cast(table.c.permissions, sa.Text).contains(f'"{user}_OWNER"', autoescape=True)
    with stash.sessionmaker() as session, session.begin():
        session.execute(table.delete().where(chosen))
