/** The labels of an object; undefined if it has none. */
export type Labels = Readonly<Record<string, string>> | undefined;
