/** When an image is pulled where nobody says: always if what its name means can change. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
	return tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent';
}

const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const FORM = new RegExp(
	`^(?:${HOST}/)?${PATH_PART}(?:/${PATH_PART})*(?::([\\w][\\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/**
 * The tag of an image's name: `latest` where it has neither tag nor digest, none where the name has no
 * form that images can have (upstream leaves it to the runtime to say so).
 */
function tagOf(image: string): string | undefined {
	const parts = FORM.exec(image);
	if (!parts) return undefined;
	const [, tag, digest] = parts;
	return tag ?? (digest === undefined ? 'latest' : undefined);
}
