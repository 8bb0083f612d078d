/** Runs the work of a command, prints the error that it rejects with, and passes its exit code on. */
export type Perform = (work: () => Promise<unknown>) => Promise<void>;
