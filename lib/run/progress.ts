/** What a run tells a person while it goes on. A terminal, a log or a test implements it. */
export interface Progress {
  /** Shows a line that stays. */
  line(text: string): void;
  /** Shows the state of a wait; called again and again until the wait ends. */
  waiting(what: string, seen: string, leftMs: number): void;
  /** Ends the display of all current waits. */
  settle(): void;
}
