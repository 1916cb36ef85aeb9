/** Where the command writes: stdout holds the report and nothing else. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
  /** Where stderr is one, and its last line can be written over. */
  readonly terminal?: Terminal | undefined;
}

export interface Terminal {
  readonly columns: number;
  write(text: string): void;
}
