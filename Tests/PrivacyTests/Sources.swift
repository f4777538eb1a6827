import Privacy

/// The two sources, the secret one with a key that the tests know.
let sources: [RandomSource] = [
  .reproducible(seed: 0x0123_4567_89ab_cdef), .secret(SecretKey(words: [1, 2, 3, 4, 5, 6, 7, 8])),
]
