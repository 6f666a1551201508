"""Words by which answers are read in any of the languages: months, "n/a", "see annex", "ongoing", yes and no.

Only words that say something about an answer, never about a question or a list: those are configuration.
All are compared folded (`parsers.text.fold`): lower case, no accents, no punctuation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NONE: Final = frozenset({
    # Also what folds to nothing: "-", "—", "/", "...".
    "n a", "na", "n d", "nd", "s d", "sd", "no aplica", "no aplicable", "no corresponde", "no procede",
    "ninguno", "ninguna", "ningunos", "ningunas", "nada", "sin datos", "sin informacion", "no hay", "no tiene",
    "no tenemos", "no disponible", "no existe", "sin respuesta", "no sabe", "no se cuenta con informacion", "vacio",
    "none", "not applicable", "nil", "nothing", "not available", "no data", "no information", "no answer",
    "neant", "sans objet", "s o", "so", "aucun", "aucune", "rien", "non applicable", "ne s applique pas",
    "pas de reponse", "non disponible",
})  # fmt: skip
NO: Final = frozenset({"no", "non", "n", "falso", "false", "faux"})
YES: Final = frozenset(
    {"si", "yes", "oui", "y", "o", "s", "x", "xx", "xxx", "ok", "1", "true", "verdadero", "vrai", "marcado"}
)
FILLER: Final = frozenset({
    "por definir", "por completar", "por confirmar", "por llenar", "a definir", "pendiente", "en proceso", "idem",
    "ver resumen", "ver arriba", "ver lineas arriba", "lo mismo", "igual", "igual que arriba", "xxx", "xxxx", "xx",
    "completar", "por definir con gerencia", "en elaboracion", "en construccion", "lo indicado anteriormente",
    "ya respondido", "ya indicado", "mismo que el anterior", "texto", "prueba", "test",
    "tbd", "tbc", "to be defined", "to be determined", "to be confirmed", "to be completed", "same as above",
    "see above", "see summary", "ditto", "pending", "lorem ipsum",
    "a preciser", "a completer", "a confirmer", "a determiner", "en attente", "voir resume", "voir ci dessus", "cf resume",
    "cf ci dessus", "meme chose",
})  # fmt: skip
FILLER_STARTS: Final = (
    "por definir ", "ver resumen", "ver respuesta", "ver pregunta", "ver punto", "ver item", "igual que en ",
    "see question", "see answer", "as in question", "to be defined ", "voir question", "voir reponse", "voir point",
    "lorem ipsum",
)  # fmt: skip
# Only a short answer refers; a long text that mentions an annex has words of its own.
LONGEST_REFERENCE: Final = 14
ATTACHMENT_STARTS: Final = (
    "ver anexo", "ver el anexo", "ver adjunto", "ver archivo", "ver documento", "ver el documento", "ver pdf", "ver informe",
    "ver ficha", "vease", "se adjunta", "adjunto", "en anexo", "en el anexo", "en adjunto", "anexo", "segun anexo",
    "segun documento adjunto", "conforme al anexo", "remitirse al", "consultar anexo", "ver enlace", "ver link", "ver oficio",
    "see attached", "see attachment", "see annex", "see the attached", "see the attachment", "see the annex", "see report", "see document", "see file", "see enclosed",
    "attached", "in annex", "as attached", "please see attached", "please see the attached", "please see annex", "please refer to the attached", "please refer to the annex", "refer to annex",
    "voir piece", "voir annexe", "voir l annexe", "voir la piece", "voir document", "voir le document", "voir fichier", "voir rapport",
    "cf annexe", "cf piece", "cf document", "en annexe", "ci joint", "en piece jointe", "piece jointe", "voir pj", "annexe",
)  # fmt: skip
ONGOING: Final = (
    "a la fecha", "hasta la fecha", "a la actualidad", "hasta la actualidad", "actualidad", "actualmente", "presente", "permanente",
    "permanentemente", "continua", "continuo", "continuan", "continuara", "sigue", "en curso", "en marcha", "en ejecucion", "en proceso",
    "vigente", "indefinido", "indefinida", "indeterminado", "indeterminada", "hasta hoy", "hoy", "al dia de hoy", "sin fecha de fin",
    "sin fecha de termino", "no ha concluido", "no concluye", "todavia", "en desarrollo", "en implementacion", "abierto", "abierta",
    "ongoing", "on going", "present", "to date", "up to date", "current", "currently", "now", "today", "continues", "continuing", "continued",
    "permanent", "open ended", "in progress", "still running", "indefinite", "until now",
    "a ce jour", "jusqu a ce jour", "a present", "en cours", "actuellement", "aujourd hui", "permanente", "se poursuit", "continue",
    "toujours en cours", "jusqu a present", "indetermine", "indeterminee", "maintenant",
)  # fmt: skip
DURATION_UNITS: Final = (
    "dias", "dia", "semanas", "semana", "meses", "mes", "ano", "anos", "days", "day", "weeks", "week", "months", "month", "year",
    "years", "jours", "jour", "semaine", "semaines", "mois", "an", "ans", "annee", "annees", "trimestres", "semestres",
)  # fmt: skip
MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "enero ene january jan janvier janv",
            "febrero feb february fevrier fev fevr",
            "marzo mar march mars",
            "abril abr april apr avril avr",
            "mayo may mai",
            "junio jun june juin",
            "julio jul july juillet juil",
            "agosto ago ag august aug aout",
            "septiembre setiembre sep set sept september septembre",
            "octubre oct october octobre",
            "noviembre nov november novembre",
            "diciembre dic december dec decembre",
        ),
        1,
    )
    for name in names.split()
}
ALL: Final = frozenset({
    "todos", "todas", "todos los objetivos", "todos ellos", "los 23", "los 17", "los 10", "los diez", "los 23 objetivos",
    "los 17 objetivos", "los 17 ods", "todos los ods", "todos los principios", "los diez principios", "los 10 principios",
    "todas las anteriores", "todos los anteriores",
    "all", "all of them", "all objectives", "all 23", "all 17", "all 10", "all sdgs", "all 17 sdgs", "all 23 objectives", "all principles",
    "all ten", "all of the above",
    "tous", "toutes", "tous les objectifs", "les 23", "les 17", "les 10", "les 23 objectifs", "les 17 odd", "tous les odd", "tous les principes",
})  # fmt: skip
# Words before a number that name no list, and those that name one.
NUMBER_WORDS: Final = frozenset({
    "objetivo", "objetivos", "obj", "objs", "nro", "no", "n", "num", "numero", "numeros", "meta", "metas", "principal", "principales", "principio",
    "principios", "el", "los", "la", "las", "y", "e", "o", "de", "del", "al", "a", "en", "also", "secundario", "secundarios", "pacto",
    "pregunta", "punto", "son", "es",
    "objective", "objectives", "goal", "goals", "target", "targets", "number", "numbers", "nos", "main", "principle", "principles", "and",
    "the", "of", "or", "to", "are", "is",
    "objectif", "objectifs", "cible", "cibles", "le", "les", "et", "ou", "principaux", "principe", "principes", "du", "des", "d", "l", "sont", "est",
})  # fmt: skip
LIST_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "sdgs": frozenset({"ods", "odd", "sdg", "sdgs", "agenda 2030"}),
    "objectives": frozenset({"pmm", "gcm", "pacto mundial", "global compact", "pacte mondial"}),
}
# Words without weight when two wordings are compared.
LIGHT: Final = frozenset({
    "de", "del", "la", "las", "el", "los", "y", "e", "en", "a", "al", "para", "por", "con", "que", "su", "sus", "o", "un", "una", "todo", "todos", "todas",
    "the", "of", "and", "in", "to", "for", "or", "on", "with", "at", "all", "as",
    "le", "les", "des", "du", "et", "d", "l", "dans", "une", "pour", "aux", "au", "sur", "qui", "s",
    "migracion", "migraciones", "migrantes", "migration", "migrations", "migrants", "objetivo", "objective", "objectif", "ods", "sdg", "odd",
})  # fmt: skip
CONDITION: Final = frozenset({
    "salvo", "excepto", "siempre", "previa", "previo", "sujeto", "sujeta", "sin", "condicion", "condicionado", "hasta", "pero", "solo", "solamente", "unicamente",
    "unless", "except", "provided", "subject", "only", "but", "until", "without", "if", "condition", "conditional", "conditions", "condiciones", "si",
    "sauf", "reserve", "sous", "jusqu", "mais", "seulement", "sans", "uniquement", "cuando", "when",
})  # fmt: skip
ASSENT: Final = frozenset({
    "si", "yes", "oui", "autorizo", "autorizamos", "autoriza", "autorizada", "autorizado", "autorizacion", "la", "el", "lo", "se", "de", "del", "su", "nuestra", "publicacion",
    "publicar", "publicarla", "difusion", "practica", "mi", "organizacion", "acuerdo", "estoy", "estamos", "conforme", "acepto", "aceptamos", "gracias", "claro", "por", "supuesto", "y",
    "en", "uso", "imagenes", "las", "envio", "i", "we", "agree", "authorize", "authorise", "authorized", "publication", "the", "of", "our", "my", "practice", "accept", "consent",
    "publish", "to", "it", "please", "go", "ahead", "nous", "autorisons", "j", "autorise", "accord", "d", "notre", "pratique", "total", "totalmente",
    "no", "non", "not", "do", "ne", "pas", "mon", "organisation", "organization", "images",
})  # fmt: skip
PLACE_WORDS: Final = frozenset({
    "el", "la", "los", "las", "en", "de", "del", "todo", "toda", "republica", "solo", "the", "in", "all", "of", "only", "republic",
    "le", "les", "l", "au", "aux", "du", "tout", "seulement", "pais", "paises", "pays", "country", "countries", "estado", "territorio",
})  # fmt: skip
# What Word itself puts into an empty control, in the languages of the office and of frequent senders.
WORD_PLACEHOLDERS: Final = (
    "Haga clic o pulse aquí para escribir texto.", "Haga clic aquí para escribir texto.", "Haga clic o pulse aquí para escribir texto",
    "Haga clic aquí para escribir una fecha.", "Haga clic aquí o pulse para escribir una fecha.", "Elija un elemento.", "Elija un elemento",
    "Click or tap here to enter text.", "Click here to enter text.", "Click or tap to enter a date.", "Click here to enter a date.",
    "Choose an item.", "Choose an item",
    "Cliquez ou appuyez ici pour entrer du texte.", "Cliquez ici pour entrer du texte.", "Cliquez ou appuyez ici pour entrer une date.",
    "Choisissez un élément.", "Choisissez un élément",
    "Clique ou toque aqui para inserir o texto.", "Klicken oder tippen Sie hier, um Text einzugeben.", "Fare clic o toccare qui per immettere il testo.",
    "Escolher um item.", "Wählen Sie ein Element aus.", "Scegliere un elemento.",
)  # fmt: skip
