/** A parsed image reference: `registry/repository:tag@digest`. */
export interface ImageName {
	/** With the registry, and with Docker Hub's defaults filled in: `docker.io/library/bash`. */
	readonly repository: string;
	readonly tag?: string;
	readonly digest?: string;
}

const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const HOST = /^(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Parses an image reference by the grammar of distribution/reference; undefined if it is malformed. */
export function parseImageName(text: string): ImageName | undefined {
	const [rest = '', digest] = splitOnce(text, text.indexOf('@'));
	const colon = rest.lastIndexOf(':');
	const [repository = '', tag] = splitOnce(rest, colon > rest.lastIndexOf('/') ? colon : -1);
	if (digest !== undefined && !DIGEST.test(digest)) return undefined;
	if (tag !== undefined && !TAG.test(tag)) return undefined;
	const [host, path] = withRegistry(repository);
	if (!HOST.test(host) || !path.split('/').every((part) => COMPONENT.test(part))) return undefined;
	return { repository: `${host}/${path}`, ...(tag && { tag }), ...(digest && { digest }) };
}

/**
 * The registry and the path in it. The first part is a registry if it contains a dot or a colon, or is `localhost`;
 * otherwise it is a user name of Docker Hub.
 */
export function withRegistry(repository: string): readonly [string, string] {
	const [first = '', rest] = splitOnce(repository, repository.indexOf('/'));
	if (rest !== undefined && (/[.:]/.test(first) || first === 'localhost')) return [first, rest];
	return ['docker.io', rest === undefined ? `library/${repository}` : repository];
}

function splitOnce(text: string, at: number): readonly [string, string | undefined] {
	return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The reference is the name itself, since there is no image and no digest. */
export function imageRefOf(image: string): string {
	return `process://${image}`;
}
