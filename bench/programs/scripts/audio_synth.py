"""Synthesise a melody, add an echo and noise, find the notes again by FFT."""

import io
import struct
import sys
import wave

import numpy as np

RATE = 22050
NOTES = "C C# D D# E F F# G G# A A# B".split()


def frequency(name):
    octave = int(name[-1])
    semitone = NOTES.index(name[:-1]) - 9 + 12 * (octave - 4)
    return 440.0 * 2 ** (semitone / 12)


def name_of(freq):
    semitone = int(round(12 * np.log2(freq / 440.0))) + 9
    return NOTES[semitone % 12] + str(4 + semitone // 12)


class Envelope:
    def __init__(self, attack=0.02, decay=0.05, sustain=0.7, release=0.1):
        self.attack, self.decay, self.sustain, self.release = attack, decay, sustain, release

    def __call__(self, t):
        end = t[-1]
        e = np.minimum(t / self.attack, 1.0)
        e = np.where(
            t > self.attack,
            np.maximum(1 - (1 - self.sustain) * (t - self.attack) / self.decay, self.sustain),
            e,
        )
        return e * np.clip((end - t) / self.release, 0, 1)


class Instrument:
    def __init__(self, harmonics, envelope):
        self.harmonics = harmonics
        self.envelope = envelope

    def play(self, note, seconds):
        t = np.arange(int(seconds * RATE)) / RATE
        f = frequency(note)
        vibrato = 1 + 0.002 * np.sin(2 * np.pi * 5 * t)
        sound = np.zeros_like(t)
        for k, strength in enumerate(self.harmonics, 1):
            sound += strength * np.sin(2 * np.pi * k * f * t * vibrato)
        return sound * self.envelope(t) / sum(self.harmonics)


def echo(x, delay, gain):
    n = int(delay * RATE)
    y = np.concatenate([x, np.zeros(3 * n)])
    for k in range(1, 4):
        y[k * n : k * n + len(x)] += gain**k * x
    return y


def lowpass(x, cutoff):
    # one-pole filter, sample by sample as in the book
    a = np.exp(-2 * np.pi * cutoff / RATE)
    y = np.empty_like(x)
    state = 0.0
    for i in range(len(x)):
        state = (1 - a) * x[i] + a * state
        y[i] = state
    return y


def spectrogram(x, window=2048, hop=512):
    w = np.hanning(window)
    frames = []
    for start in range(0, len(x) - window, hop):
        frames.append(np.abs(np.fft.rfft(w * x[start : start + window])))
    return np.array(frames)


def detect(x, window=4096):
    spectrum = np.abs(np.fft.rfft(x[:window] * np.hanning(window), 8 * window))
    peak = spectrum.argmax()
    return name_of(peak * RATE / (8 * window))


def to_wav(x):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as f:
        f.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        samples = np.int16(np.clip(x, -1, 1) * 32767)
        f.writeframes(struct.pack("<%dh" % len(samples), *samples))
    return buffer.getvalue()


def main():
    melody = "E4 D4 C4 D4 E4 E4 E4 D4 D4 D4 E4 G4 G4 E4 D4 C4".split()
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    organ = Instrument([1.0, 0.5, 0.25, 0.12, 0.06], Envelope())
    parts = [organ.play(note, 0.4) for note in melody * max(1, repeats)]
    found = [detect(part) for part in parts[: len(melody)]]
    print("detected:", " ".join(found), found == melody)
    song = echo(np.concatenate(parts), 0.15, 0.4)
    song += np.random.default_rng(2).normal(0, 0.01, len(song))
    quiet = lowpass(song, 2000.0)
    frames = spectrogram(quiet)
    centroid = (frames * np.arange(frames.shape[1])).sum(axis=1) / frames.sum(axis=1)
    print("frames:", frames.shape, "centroid %.6f" % centroid.mean())
    print("rms: %.8f -> %.8f" % (np.sqrt(np.mean(song**2)), np.sqrt(np.mean(quiet**2))))
    data = to_wav(quiet)
    print("wav:", len(data), "bytes, checksum", sum(data) % 65521)


main()
