"""One sampler per file: from noise to a picture along given times, with any network and any array library.

Convention: z = t x + (1 - t) e, with t = 0 pure noise e and t = 1 the clean picture x. A sampler sees
only `denoise(z, t)`, which returns the picture it expects, and works on torch tensors and numpy arrays.
"""
