"""The questions of a datasheet (Gebru et al. 2021), each with whether only a person can answer it."""

from dataclasses import dataclass

from sfumato.errors import unknown


@dataclass(frozen=True)
class Question:
    """A question: its section, a short name, its words, and whether what is measured does not answer it all."""

    section: str
    key: str
    asks: str
    for_a_person: bool = True


MOTIVATION, COMPOSITION, COLLECTION = "Motivation", "Composition", "Collection process"
PREPARING, USES = "Preprocessing, cleaning and labelling", "Uses"
DISTRIBUTION, MAINTENANCE = "Distribution", "Maintenance"
SECTIONS = (MOTIVATION, COMPOSITION, COLLECTION, PREPARING, USES, DISTRIBUTION, MAINTENANCE)

QUESTIONS = (
    Question(MOTIVATION, "purpose", "For what purpose was the dataset created? Which gap does it fill?"),
    Question(MOTIVATION, "creators", "Who created it, and on behalf of whom?"),
    Question(MOTIVATION, "funding", "Who funded its creation?"),
    Question(COMPOSITION, "instances", "What is in it?", False),
    Question(COMPOSITION, "count", "How many instances are there, of each kind?", False),
    Question(COMPOSITION, "sample", "Is it all there is, or a sample, and of what? Is the sample representative?"),
    Question(COMPOSITION, "data", "What does each instance consist of?", False),
    Question(COMPOSITION, "labels", "Is there a label or a caption for each instance?", False),
    Question(COMPOSITION, "missing", "Is information missing from individual instances?", False),
    Question(COMPOSITION, "relations", "Are relations between instances made explicit?", False),
    Question(COMPOSITION, "splits", "Are there recommended splits?", False),
    Question(COMPOSITION, "errors", "Are there errors, noise or redundancies?", False),
    Question(COMPOSITION, "self_contained", "Is it self-contained, or does it rely on what lies elsewhere?", False),
    Question(COMPOSITION, "confidential", "Does it hold what may be confidential?"),
    Question(COMPOSITION, "offensive", "Does it hold what may offend, insult, threaten or cause anxiety?"),
    Question(COMPOSITION, "groups", "Does it identify groups of people? How are they distributed?"),
    Question(COMPOSITION, "persons", "Can individual persons be identified?"),
    Question(COLLECTION, "acquired", "How was the data acquired?", False),
    Question(COLLECTION, "who", "Who was involved in collecting it, and how were they paid?"),
    Question(COLLECTION, "when", "Over what time was it collected?", False),
    Question(COLLECTION, "review", "Was there an ethical review?"),
    Question(COLLECTION, "consent", "Did those concerned know, and consent? Can they withdraw?"),
    Question(COLLECTION, "opt_out", "Which signals against such a use came with the data?", False),
    Question(PREPARING, "done", "What was cleaned, left out or labelled?", False),
    Question(PREPARING, "raw", "Is the raw data kept?", False),
    Question(PREPARING, "software", "Is the software that did it available?", False),
    Question(USES, "used", "What has it been used for already?"),
    Question(USES, "suited", "What else could it be used for?"),
    Question(USES, "impact", "Could the way in which it was made harm anybody in future uses?"),
    Question(USES, "unsuited", "For what should it not be used?"),
    Question(DISTRIBUTION, "recipients", "To whom is it given, how, and when?"),
    Question(DISTRIBUTION, "licence", "Under which licences, and what do they ask?", False),
    Question(DISTRIBUTION, "restrictions", "Do others restrict its use, or do export controls apply?"),
    Question(MAINTENANCE, "keeper", "Who looks after it, and how can they be reached?"),
    Question(MAINTENANCE, "updates", "Will it be updated, how often, by whom, and how is that told?"),
    Question(MAINTENANCE, "versions", "Are older versions kept?", False),
    Question(MAINTENANCE, "retention", "Are there limits to how long data of persons is kept?"),
    Question(MAINTENANCE, "contribute", "How can others extend it?"),
)
BY_KEY = {one.key: one for one in QUESTIONS}


def find_question(key: str) -> Question:
    """The question with this short name; raises NotFound with the nearest one."""
    if key not in BY_KEY:
        raise unknown("question", key, BY_KEY)
    return BY_KEY[key]
