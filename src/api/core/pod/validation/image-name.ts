/**
 * The default of imagePullPolicy (upstream: `SetDefaults_Container`): Always if the tag is `latest`,
 * explicitly or because the name has neither tag nor digest. Such a name can refer to another image tomorrow,
 * so a node must not trust its cached copy.
 */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
	return tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent';
}

/** The grammar of image references (upstream: distribution/reference): host, path, tag and digest. */
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const FORM = new RegExp(
	`^(?:${HOST}/)?${PATH_PART}(?:/${PATH_PART})*(?::([\\w][\\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/**
 * The tag of an image name: `latest` if it has neither tag nor digest, undefined if it has only a digest or
 * is not a valid image name. Validation accepts invalid names, as upstream does; the container runtime
 * reports them.
 */
function tagOf(image: string): string | undefined {
	const parts = FORM.exec(image);
	if (!parts) return undefined;
	const [, tag, digest] = parts;
	return tag ?? (digest === undefined ? 'latest' : undefined);
}
