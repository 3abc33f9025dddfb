"""What became of each recipient over all runs of a journal, by the outcome lines of all of them."""

# Whoever has one of these may be tried again by a resume, and then has another line.
TRIED_AGAIN = {"deferred", "unsent"}


def words_of(outcomes):
    """The statuses of each (id, recipient), in the order of the lines."""
    words = {}
    for outcome in outcomes:
        words.setdefault((outcome["id"], outcome["rcpt"]), []).append(outcome["status"])
    return words


def last_words(outcomes):
    """The status of each (id, recipient) in the end."""
    return {key: words[-1] for key, words in words_of(outcomes).items()}


def afterthoughts(outcomes, tried_again=frozenset(TRIED_AGAIN)):
    """What is wrong: lines that follow the final one of the same recipient, as a list of texts."""
    return [f"{key}: {' then '.join(words)}" for key, words in words_of(outcomes).items()
            if not tried_again.issuperset(words[:-1])]
