/** What is known under one text. Whoever has found it may hold on to it until it is `gone`. */
export interface Slot {
  readonly text: string;
  /** The last run in which it was used. */
  run: number;
  /** Its text is looked up anew from here on. */
  gone: boolean;
}

/**
 * One object for each text, the same from run to run. A text is looked up when an object of the edge is new; in every later run
 * the object finds its slot by a pointer, where a map made for the run would have to be filled with ten thousand texts.
 */
export class Slots<Of extends Slot> {
  readonly #make: (text: string) => Of;
  readonly #byText = new Map<string, Of>();
  #run = 0;
  #used = 0;

  constructor(make: (text: string) => Of) {
    this.#make = make;
  }

  /** A new run: nothing is used yet. What the last one did not use goes as soon as it is the greater part. */
  begin(): void {
    if (this.#byText.size > 2 * this.#used) this.#sweep();
    this.#run += 1;
    this.#used = 0;
  }

  of(text: string): Of {
    const known = this.#byText.get(text);
    if (known) return known;
    const slot = this.#make(text);
    this.#byText.set(text, slot);
    return slot;
  }

  /** Uses a slot; true for the first time in this run. */
  isFirstUse(slot: Of): boolean {
    if (slot.run === this.#run) return false;
    slot.run = this.#run;
    this.#used += 1;
    return true;
  }

  #sweep(): void {
    for (const [text, slot] of this.#byText) {
      if (slot.run === this.#run) continue;
      this.#byText.delete(text);
      slot.gone = true;
    }
  }
}
