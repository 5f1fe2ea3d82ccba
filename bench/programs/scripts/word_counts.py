"""Word statistics of a generated text: regex, Counter, dataclasses, JSON round trip."""

import json
import random
import re
import sys
import textwrap
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field

SYLLABLES = "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu".split()
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.IGNORECASE)


@dataclass
class Entry:
    word: str
    count: int = 0
    lines: list = field(default_factory=list)
    followers: dict = field(default_factory=dict)


def make_text(words, rng):
    vocabulary = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(900)]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    text = rng.choices(vocabulary, weights, k=words)
    sentences, start = [], 0
    while start < len(text):
        end = start + rng.randint(4, 14)
        sentences.append(" ".join(text[start:end]).capitalize() + rng.choice("...!?"))
        start = end
    return textwrap.fill(" ".join(sentences), 78)


def build_index(text):
    index = {}
    previous = None
    for number, line in enumerate(text.splitlines(), 1):
        for match in WORD.finditer(line):
            word = match.group().lower()
            entry = index.get(word)
            if entry is None:
                entry = index[word] = Entry(word)
            entry.count += 1
            if len(entry.lines) < 5:
                entry.lines.append(number)
            if previous is not None:
                followers = index[previous].followers
                followers[word] = followers.get(word, 0) + 1
            previous = word
    return index


def anagrams(words):
    groups = defaultdict(set)
    for word in words:
        groups["".join(sorted(word))].add(word)
    return sorted((sorted(g) for g in groups.values() if len(g) > 2), key=lambda g: (-len(g), g))


def caesar(text, shift):
    table = {}
    for first in (ord("a"), ord("A")):
        for i in range(26):
            table[first + i] = chr(first + (i + shift) % 26)
    return text.translate(table)


def babble(index, start, length, rng):
    words = [start]
    for _ in range(length):
        followers = index[words[-1]].followers
        if not followers:
            break
        words.append(rng.choices(list(followers), followers.values())[0])
    return " ".join(words)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    rng = random.Random(99)
    text = make_text(n, rng)
    index = build_index(text)
    top = sorted(index.values(), key=lambda e: (-e.count, e.word))[:8]
    for entry in top:
        print(f"{entry.word:12} {entry.count:6d}  first on lines {entry.lines[:3]}")
    lengths = Counter(len(word) for word in index)
    print("lengths:", dict(sorted(lengths.items())))
    print("anagrams:", anagrams(index)[:3])
    dumped = json.dumps({e.word: asdict(e) for e in index.values()}, sort_keys=True)
    loaded = {word: Entry(**fields) for word, fields in json.loads(dumped).items()}
    print("round trip:", loaded == index, len(dumped), "characters")
    assert caesar(caesar(text, 3), -3) == text
    sentences = re.split(r"(?<=[.!?])\s+", text)
    questions = [s for s in sentences if s.endswith("?")]
    print(len(sentences), "sentences,", len(questions), "questions")
    vowels = re.sub(r"[^aeiou]", "", text.lower())
    print("vowels:", Counter(vowels).most_common())
    print(textwrap.shorten(babble(index, top[0].word, 30, rng), 70))


if __name__ == "__main__":
    main()
