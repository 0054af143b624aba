"""What a collection is good for, in words and with the numbers it rests on."""

FROM_SCRATCH = 3_000
FINE_TUNE = 20
UNSTATED = "NOASSERTION"  # what SPDX calls a licence that nobody stated


def describe_use(n: int, named: int, concepts: int, licences: dict[str, int]) -> str:
    """Say what `n` pictures, of which `named` have captions, are good for, and under which licences."""
    if n == 0:
        return "It is empty. Collect pictures into it first."
    shares = sorted(licences.items(), key=lambda one: -one[1])
    rights = ", ".join(f"{count:,} {'not stated' if name == UNSTATED else name}" for name, count in shares)
    unclear = licences.get(UNSTATED, 0)
    captions = "1 has a caption" if named == 1 else f"{named:,} have captions"
    of = f"{n:,} picture{'s' * (n != 1)} of {concepts:,} thing{'s' * (concepts != 1)}"
    said = [f"{of}; {captions}. Licences: {rights}."]
    if n >= FROM_SCRATCH and named >= 0.8 * n:
        said.append(f"Enough to train a small model from scratch (from about {FROM_SCRATCH:,} captioned pictures).")
    elif n >= FINE_TUNE and named >= 0.5 * n:
        said.append(
            f"Enough to fine-tune a model (from about {FINE_TUNE} captioned pictures), "
            f"too few to train one from scratch (about {FROM_SCRATCH:,})."
        )
    else:
        said.append(
            f"Good to search and look through only: fine-tuning wants about {FINE_TUNE} pictures, most with captions."
        )
    if unclear:
        said.append(f"{unclear:,} have no stated licence: clear that before you publish what a model learns from them.")
    return " ".join(said)
