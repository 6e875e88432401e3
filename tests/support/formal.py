"""Words that address a reader formally, in German, French and Spanish."""

import re

_IMPERATIVES = """
abra avance avise avísenos busque cambie compruebe confirme consérvela conserve copie cópiela cópielo corrija deje elija
elimínelo elimine empiece envíe envíelo escriba escríbala escríbanos espere guarde haga ignore indique inscríbase
introduzca mire pegue permita ponga pulse responda revise siga suscríbase trasládelas vacíe vea vuelva ábralo
""".split()
_SPANISH = r"ustede?s?|su|sus|suy[oa]s?|le|ha dicho|ha confirmado|se ha dado|ya puede|no tiene que|no quiere"
FORMAL = {
    "de": re.compile(r"\b(?:Sie|Ihnen|Ihre?[nmrs]?)\b"),
    "fr": re.compile(r"\b(?:vous|votre|vos|vôtres?|\w{2,}ez)\b", re.I),
    "es": re.compile(rf"\b(?:{_SPANISH}|{'|'.join(_IMPERATIVES)}|\w+[aei]rle)\b", re.I),
}
# of things and of others
NOBODY = {
    "de": re.compile(r"Sie bleibt auf diesem Rechner"),
    "fr": re.compile(r"\bchez\b"),
    "es": re.compile(
        r"su (?:contenido|enlace para|correo también|cupo|momento|dirección, por ejemplo|lugar|envío|servidor)"
        r"|su supresión|su tratamiento|le (?:enviamos un correo con|falta|escribiéramos|hemos dicho)"
        r"|todo esto se elimine|siga siendo|alguien vuelva",
        re.I,
    ),
}


def formally(text: str, tag: str) -> list[str]:
    """The words of a text that address its reader so."""
    return FORMAL[tag].findall(NOBODY[tag].sub("", " ".join(text.split())))
