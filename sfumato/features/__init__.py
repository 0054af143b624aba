"""What a picture or a sentence looks like to a network: encoders, and search among what they give."""
