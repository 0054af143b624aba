"""The words we use, each with one plain sentence."""

WORDS = (
    (
        "Approve, reject",
        "Say whether a picture is good enough to be used; a rejection has a reason, and both can be taken back.",
    ),
    ("Ask", "Something that one person wants of another or of a role; it is closed by what was done, not by words."),
    ("Checkpoint", "What a model had learnt at one moment of a run, kept as a file."),
    ("Content Credentials", "A signed note inside a picture that says who made it and with what; others can check it."),
    ("Criterion", "What a model has to reach before it goes live, said beforehand."),
    ("Dataset", "A collection of pictures with words, from which models learn."),
    ("Evidence", "A record, or something that was done, on which an answer rests."),
    ("Guidance", "How closely the drawing keeps to the words; more is closer, and less varied."),
    (
        "Held out",
        "Kept from learning when a version is frozen, so that the model can be tested on what it has not seen.",
    ),
    ("Interval and n", "The range in which the true value very likely lies, and how many cases were looked at."),
    ("Job", "Work that takes longer than a page; it goes on when you leave, and can be stopped."),
    ("Licence", "What the maker of a picture allows others to do with it."),
    ("Live", "The one model that is used for real work now."),
    ("Model", "What draws: a network with what it has learnt, under a name."),
    ("Near copy", "A drawn picture that is so close to a training picture that it should be looked at."),
    ("Permission", "One thing that a role lets somebody do."),
    ("Recipe", "The way in which a model is trained, with its options."),
    ("Record", "Anything that the studio keeps and can name: a picture, a run, a judgement."),
    ("Role", "What somebody does here; it decides what they may do, and which desks come first."),
    ("Run", "One training of a model, from its start to its end, with everything that was measured on the way."),
    ("Seed", "The number from which a drawing begins; the same seed, words and model give the same picture."),
    (
        "Slice",
        "Pictures of a dataset that have something in common, such as all dark ones, under a name of its own.",
    ),
    ("Steps", "How often the drawing is improved before it is done."),
    ("Thing", "What pictures show that came with the same name or caption; all of one thing can be held out together."),
    ("Trace", "Everything that a record was made from, back to the first sources."),
    ("Version", "A dataset as it was when it was frozen; it never changes, so that runs can name it."),
)
