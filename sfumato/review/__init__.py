"""Review: what people think of a picture, or of anything else on record. Each judgement is an appended fact."""
