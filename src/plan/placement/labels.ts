/** The labels of an object, where it has any. */
export type Labels = Readonly<Record<string, string>> | undefined;

/** The value of a label, or undefined; names such as `constructor` are labels like any other. */
export function labelOf(labels: Labels, key: string): string | undefined {
	return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
