"""What acts are called for people: the log keeps names such as `sites.force_state`, pages show words."""

from django.apps import apps

# Of acts that are jobs it is the title of the job's flow, which registers itself.
_words = {
    "board.dismiss": "Take a trouble off the board",
    "board.leave": "Leave a difference as it is",
    "board.take_up": "Put a difference on the board again",
    "jobs.cancel": "Cancel and undo",
    "jobs.give_up": "Give up waiting",
    "jobs.retry": "Retry a step",
    "jobs.skip": "Skip a step",
    "nodepoint.anonymise": "Forget a person",
    "notices.send_again": "Send an e-mail again",
    "people.add_note": "Note something about a customer",
    "people.remove_note": "Remove a note about a customer",
    "restored.adopt": "Take over what a dump did not know",
    "restored.change": "Bring a row up to date after a dump",
    "restored.domain": "Take over a domain that a dump did not know",
    "restored.end": "End a row that a dump brought back",
    "restored.find": "Find that the database came back from a dump",
    "restored.release": "Release a restored database",
    "staff.change_password": "Change the own password",
    "staff.enrol_second_factor": "Set up a second factor",
    "staff.log_in": "Log in",
    "staff.remove_second_factor": "Remove a second factor",
    "staff.renew_recovery_codes": "Make new recovery codes",
    "staff.use_recovery_code": "Use a recovery code",
}
VERBS = {"add": "Add", "change": "Change", "delete": "Delete", "revoke": "Revoke", "unlock": "Unlock"}


def name(words: dict[str, str]) -> None:
    """Apps say what their acts are called: `{"sites.login": "Make a login link"}`."""
    _words.update(words)


def of(act: str) -> str:
    """In words; of a model's rows by the name of the model (`Change plan`). What a former release wrote
    stays as it is, without its app."""
    return _words.get(act) or _of_rows(act) or act.partition(".")[2].replace("_", " ").capitalize() or act


def is_known(act: str) -> bool:
    """Whether somebody has named it."""
    return act in _words or bool(_of_rows(act))


def _of_rows(act: str) -> str:
    app, _, rest = act.partition(".")
    verb, _, model = rest.partition("_")
    if verb not in VERBS:
        return ""
    try:
        return f"{VERBS[verb]} {apps.get_model(app, model)._meta.verbose_name}"
    except LookupError:
        return ""
