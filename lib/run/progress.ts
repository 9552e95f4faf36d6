/** Progress of a run for a person; implemented by a terminal, a log or a test. */
export interface Progress {
  /** Shows a permanent line. */
  line(text: string): void;
  /** Shows the state of a wait; called repeatedly until the wait ends. */
  waiting(what: string, seen: string, leftMs: number): void;
  /** Ends the display of all current waits. */
  settle(): void;
}
