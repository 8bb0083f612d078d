/** The labels of an object; undefined if it has none. */
export type Labels = Readonly<Record<string, string>> | undefined;

/** The value of a label, or undefined. Own properties only, because `constructor` is a valid label name too. */
export function labelOf(labels: Labels, key: string): string | undefined {
	return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
