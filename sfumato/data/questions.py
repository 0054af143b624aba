"""The questions of a datasheet (Gebru et al. 2021, in plain words), each with whether only a person can answer it."""

from dataclasses import dataclass

from sfumato.errors import unknown


@dataclass(frozen=True)
class Question:
    """A question: its section, a short name, its words, and whether what is measured does not answer it all."""

    section: str
    key: str
    asks: str
    for_a_person: bool = True


MOTIVATION, COMPOSITION, COLLECTION = "What it is for", "What is in it", "How it was collected"
PREPARING, USES = "Cleaning and labelling", "What to use it for"
DISTRIBUTION, MAINTENANCE = "Who gets it", "Who looks after it"
SECTIONS = (MOTIVATION, COMPOSITION, COLLECTION, PREPARING, USES, DISTRIBUTION, MAINTENANCE)

QUESTIONS = (
    Question(MOTIVATION, "purpose", "What was it made for? What was missing without it?"),
    Question(MOTIVATION, "creators", "Who made it, and for whom?"),
    Question(MOTIVATION, "funding", "Who paid for it?"),
    Question(COMPOSITION, "instances", "What is in it?", False),
    Question(COMPOSITION, "count", "How many pictures are there, of each kind?", False),
    Question(COMPOSITION, "sample", "Is it all there is, or a part of something larger? Is that part like the whole?"),
    Question(COMPOSITION, "data", "What belongs to each picture?", False),
    Question(COMPOSITION, "labels", "Has each picture a label or a caption?", False),
    Question(COMPOSITION, "missing", "Is something missing from some of the pictures?", False),
    Question(COMPOSITION, "relations", "Is it said which pictures belong together?", False),
    Question(COMPOSITION, "splits", "Which pictures are for learning, and which for testing?", False),
    Question(COMPOSITION, "errors", "Are there mistakes, noise or copies in it?", False),
    Question(COMPOSITION, "self_contained", "Is all of it here, or does it need what lies elsewhere?", False),
    Question(COMPOSITION, "confidential", "Is there anything in it that should not be known?"),
    Question(COMPOSITION, "offensive", "Is there anything in it that may offend, insult, threaten or frighten?"),
    Question(COMPOSITION, "groups", "Does it show groups of people? How many of each?"),
    Question(COMPOSITION, "persons", "Can anybody be recognised?"),
    Question(COLLECTION, "acquired", "How did the pictures come here?", False),
    Question(COLLECTION, "who", "Who collected them, and were they paid?"),
    Question(COLLECTION, "when", "When were they collected? When was each of them made?"),
    Question(COLLECTION, "review", "Did anybody look at whether it is right to do this?"),
    Question(COLLECTION, "consent", "Do those who are shown, or made them, know and agree? Can they withdraw?"),
    Question(COLLECTION, "opt_out", "Do any of the files say that they must not be learnt from?", False),
    Question(PREPARING, "done", "What was cleaned, left out or labelled?", False),
    Question(PREPARING, "raw", "Are the pictures kept as they came?", False),
    Question(PREPARING, "software", "Can others have the software that did it?", False),
    Question(USES, "used", "What has it been used for already?"),
    Question(USES, "suited", "What else could it be used for?"),
    Question(USES, "impact", "Could it harm anybody when it is used, by the way it was made?"),
    Question(USES, "unsuited", "For what should it not be used?"),
    Question(DISTRIBUTION, "recipients", "Who gets it, how, and when?"),
    Question(DISTRIBUTION, "licence", "Under which licences, and what do they ask?", False),
    Question(DISTRIBUTION, "restrictions", "Do others, or the law, limit who may have it or what it may be used for?"),
    Question(MAINTENANCE, "keeper", "Who looks after it, and how can they be reached?"),
    Question(MAINTENANCE, "updates", "Will it be updated, how often, by whom, and how is that told?"),
    Question(MAINTENANCE, "versions", "Are older versions kept?", False),
    Question(MAINTENANCE, "retention", "Must something about people be deleted after a time?"),
    Question(MAINTENANCE, "contribute", "How can others add to it?"),
)
BY_KEY = {one.key: one for one in QUESTIONS}


def find_question(key: str) -> Question:
    """The question with this short name; raises NotFound with the nearest one."""
    if key not in BY_KEY:
        raise unknown("question", key, BY_KEY)
    return BY_KEY[key]
